import type { Transport } from '@modelcontextprotocol/server';
import { type MessageObserver, PendingRequests } from '../mcp/pending-requests.js';
import { signed } from '../mcp/replica-meta.js';
import type { Conversation } from './conversation.js';

type Message = Parameters<Transport['send']>[0];

/** A conversation as the SDKs' transport. It counts what it answers and signs every result with the replica. */
export class StreamTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: Message) => void;
  /**
   * Called once, when a client of the stateless era asks for the server's own messages (`subscriptions/listen`).
   * @returns what to do when the client has gone
   */
  onListen?: () => () => void;
  private stopListening: (() => void) | undefined;
  private readonly requests: PendingRequests;

  constructor(
    private readonly conversation: Conversation,
    private readonly replica: string,
    private readonly observer: MessageObserver,
  ) {
    this.requests = new PendingRequests(observer);
    conversation.onEnd = () => this.end();
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: Message): Promise<void> {
    const text = JSON.stringify(
      'result' in message ? { ...message, result: signed(message.result, this.replica) } : message,
    );
    this.conversation.send(text);
    if ('method' in message) this.observer.streams.streamed(text);
    else this.requests.answered(message.id, text);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.conversation.close();
    return Promise.resolve();
  }

  /** @param body a message from the client, parsed */
  receive(body: unknown): void {
    const { label } = this.requests.received(body);
    if (label === 'subscriptions/listen') this.listen();
    this.onmessage?.(body as Message);
  }

  private listen(): void {
    if (this.stopListening !== undefined || this.onListen === undefined) return;
    this.stopListening = this.onListen();
    this.observer.streams.streamOpened();
  }

  private end(): void {
    if (this.stopListening !== undefined) this.observer.streams.streamClosed();
    this.stopListening?.();
    this.requests.abort();
    this.onclose?.();
  }
}
