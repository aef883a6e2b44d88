import type { Transport } from '@modelcontextprotocol/server';
import { describe, type Inbound } from '../mcp/inbound.js';
import { type Outcome, outcomeOf } from '../mcp/outcome.js';
import { signed } from '../mcp/replica-meta.js';
import type { Conversation } from './conversation.js';

type Message = Parameters<Transport['send']>[0];

export interface MessageObserver {
  /** Told of every message that asks or notifies once, when it has been read. */
  begun(inbound: Inbound): void;
  /** Told of every one of those once, when its answer has been handed over, or its client has gone. */
  ended(inbound: Inbound, outcome: Outcome, durationMs: number): void;
  readonly streams: {
    /** A client listens: `subscriptions/listen`. */
    streamOpened(): void;
    streamClosed(): void;
    /** A notification has gone out. */
    streamed(text: string): void;
  };
}

/** A conversation as the SDKs' transport, which counts what it answers and signs every result with the replica. */
export class StreamTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: Message) => void;
  /**
   * Told once, when the client asks for what the server has to say by itself in the stateless era; @returns what to do
   * when it has gone.
   */
  onListen?: () => () => void;
  private stopListening: (() => void) | undefined;
  private readonly pending = new Map<unknown, { readonly inbound: Inbound; readonly startedAt: number }>();

  constructor(
    private readonly conversation: Conversation,
    private readonly replica: string,
    private readonly observer: MessageObserver,
  ) {
    conversation.onEnd = () => this.ended();
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
    else this.answered(message.id, outcomeOf(200, text));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.conversation.close();
    return Promise.resolve();
  }

  /** A message from the client, parsed. */
  receive(body: unknown): void {
    const inbound = describe(body);
    const id = idOf(body);
    this.observer.begun(inbound);
    if (inbound.label === 'subscriptions/listen') this.listens();
    if (id === undefined) this.observer.ended(inbound, 'ok', 0);
    else this.pending.set(id, { inbound, startedAt: performance.now() });
    this.onmessage?.(body as Message);
  }

  private answered(id: unknown, outcome: Outcome): void {
    const pending = this.pending.get(id);
    if (pending === undefined || !this.pending.delete(id)) return;
    this.observer.ended(pending.inbound, outcome, performance.now() - pending.startedAt);
  }

  private listens(): void {
    if (this.stopListening !== undefined || this.onListen === undefined) return;
    this.stopListening = this.onListen();
    this.observer.streams.streamOpened();
  }

  private ended(): void {
    if (this.stopListening !== undefined) this.observer.streams.streamClosed();
    this.stopListening?.();
    for (const id of this.pending.keys()) this.answered(id, 'aborted');
    this.onclose?.();
  }
}

/** Of a request; answers to the server's own requests, notifications and nonsense wait for nothing. */
function idOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'method' in body && 'id' in body ? body.id : undefined;
}
