import { judgeMessage } from '../../mcp/judge-message.js';
import { CLIENT_INFO, type ClientInfo } from '../../mcp/revisions.js';
import type { Problem } from '../../measure/failure.js';
import type { PinnedProtocol } from '../../protocol/messages.js';
import type { StreamControl, StreamListener } from '../channel.js';
import { reconnectWaitMs } from '../retry.js';
import { cancelledMessage, listenMessage, subscribeMessage, unsubscribeMessage } from '../session-messages.js';
import type { ProfileShared } from '../shared.js';
import { type SubscribingStream, Subscriptions } from './subscriptions.js';

interface LinkStreamOptions {
  readonly pinned: PinnedProtocol;
  readonly clientInfo?: ClientInfo | undefined;
  /** For each subscription. */
  readonly timeoutMs: number;
}

/**
 * Receives what a server sends on its own where one link carries everything: there is no stream to open, only
 * subscriptions, and nothing to resume, since messages are sent to this link only. It ends with its session.
 */
export class LinkStream implements StreamControl, SubscribingStream {
  readonly timeoutMs: number;
  /** `waiting`: to listen again, in the stateless era */
  private state: 'idle' | 'listening' | 'waiting' | 'over' = 'idle';
  private paused = false;
  private failures = 0;
  /** Id of the listen request under way; -1: none. */
  private listenId = -1;
  private timer: NodeJS.Timeout | undefined;
  private readonly subscriptions: Subscriptions;
  /** Its own requests, by id. */
  private readonly requests = new Map<number, (problem: Problem | undefined) => void>();

  /** @param send sends a message on the session's link */
  constructor(
    private readonly send: (message: string) => void,
    private readonly listener: StreamListener,
    private readonly shared: ProfileShared,
    private readonly options: LinkStreamOptions,
  ) {
    this.timeoutMs = options.timeoutMs;
    this.subscriptions = new Subscriptions(listener);
  }

  get isListening(): boolean {
    return this.state === 'listening';
  }
  get isOver(): boolean {
    return this.state === 'over';
  }

  start(): void {
    if (this.state !== 'idle') return;
    const { streams } = this.shared.counters;
    if (this.paused) streams.returned++;
    this.paused = false;
    this.listen();
  }

  /** Cancels the subscriptions; the link belongs to the session and stays. */
  pause(): void {
    if (this.state === 'over') return;
    if (this.options.pinned.era === 'modern')
      this.stopListening({
        category: 'aborted_by_us',
        detail: 'the stream was paused before the server accepted the subscription',
      });
    else for (const uri of this.subscriptions.uris) this.unsubscribe(uri);
    this.subscriptions.forget();
    this.state = 'idle';
    this.paused = true;
  }

  /** Ends it with its session; only `onSessionEnd` follows. @param lost the link was lost, and not closed by us */
  end(lost: boolean): void {
    if (this.state === 'over') return;
    if (lost && this.state !== 'idle') this.shared.counters.streams.lost++;
    clearTimeout(this.timer);
    this.state = 'over';
    this.listener.onSessionEnd();
  }

  onNotification(
    method: string,
    message: Record<string, unknown>,
    bytes: Buffer,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    if (method === 'notifications/resources/updated') {
      // An update that still arrives while the client is paused does not count.
      if (this.isListening) this.listener.onUpdate(bytes, start, end, nowMs);
    } else if (method === 'notifications/subscriptions/acknowledged' && this.listenId >= 0) {
      clearTimeout(this.timer);
      this.failures = 0;
      this.subscriptions.acknowledged(message);
    }
  }

  /** @returns whether it answers a request of this stream */
  onAnswer(answer: Record<string, unknown>): boolean {
    const { id } = answer;
    const done = typeof id === 'number' ? this.requests.get(id) : undefined;
    if (typeof id !== 'number' || done === undefined) return false;
    this.requests.delete(id);
    done(judgeMessage(answer, id));
    return true;
  }

  subscribe(uri: string, done: (problem: Problem | undefined) => void): void {
    const id = this.shared.ids.take();
    this.request(subscribeMessage(id, uri), id, done);
  }

  // Over a link, a lost session is a lost link.
  onSessionLost(): void {}

  private listen(): void {
    const { pinned, clientInfo = CLIENT_INFO } = this.options;
    this.state = 'listening';
    this.shared.counters.streams.opened++;
    this.subscriptions.requestAll();
    if (pinned.era === 'legacy') return this.subscriptions.sendInTurn(this);
    const id = this.shared.ids.take();
    this.listenId = id;
    this.timer = setTimeout(() => {
      this.stopListening({
        category: 'timeout',
        detail: `no answer to subscriptions/listen within ${this.timeoutMs} ms`,
      });
      this.listenAgain();
    }, this.timeoutMs);
    this.request(listenMessage(id, this.listener.uris, pinned.version, clientInfo), id, (problem) =>
      this.listenAnswered(id, problem),
    );
  }

  /** The answer to `subscriptions/listen` ends it. */
  private listenAnswered(id: number, problem: Problem | undefined): void {
    if (id !== this.listenId || this.state !== 'listening') return;
    this.listenId = -1;
    clearTimeout(this.timer);
    this.subscriptions.abandon(
      problem ?? { category: 'stream_lost', detail: 'the server ended the stream before it accepted the subscription' },
    );
    this.subscriptions.forget();
    if (problem === undefined) this.shared.counters.streams.ended++;
    // No such method: asking again would get the same answer.
    if (problem?.category !== 'rpc_-32601') this.listenAgain();
  }

  private stopListening(problem: Problem): void {
    clearTimeout(this.timer);
    if (this.listenId >= 0) this.send(cancelledMessage(this.listenId, problem.category));
    this.listenId = -1;
    this.subscriptions.abandon(problem);
    this.subscriptions.forget();
  }

  private listenAgain(): void {
    // The listener may have paused it, or ended the session, in one of its events.
    if (this.state !== 'listening') return;
    this.state = 'waiting';
    this.timer = setTimeout(
      () => this.listen(),
      reconnectWaitMs(-1, this.failures++, this.shared.counters.messagesReceived),
    );
  }

  private unsubscribe(uri: string): void {
    const id = this.shared.ids.take();
    this.request(unsubscribeMessage(id, uri), id, () => undefined);
  }

  private request(message: string, id: number, done: (problem: Problem | undefined) => void): void {
    this.requests.set(id, done);
    this.send(message);
  }
}
