import { judgeMessage, type Problem } from '../../mcp/judge-message.js';
import { CLIENT_INFO, type ClientInfo } from '../../mcp/revisions.js';
import type { PinnedProtocol } from '../../protocol/messages.js';
import type { StreamControl, StreamListener } from '../channel.js';
import { reconnectWaitMs } from '../retry.js';
import { cancelledMessage, listenMessage, subscribeMessage, unsubscribeMessage } from '../session-messages.js';
import type { WireShared } from '../shared.js';
import { type SubscribingSession, Subscriptions } from './subscriptions.js';

interface LinkStreamOptions {
  readonly pinned: PinnedProtocol;
  readonly clientInfo?: ClientInfo | undefined;
  /** For each subscription. */
  readonly timeoutMs: number;
}

/** Ids of our own: none of the load's, which have ten digits, and not that of `initialize`. */
const FIRST_ID = 2;

/**
 * What a server says by itself where one link carries everything: there is no stream to open, only to subscribe, and
 * nothing to resume, for what is said is said to this link. It lives and ends with its session.
 */
export class LinkStream implements StreamControl, SubscribingSession {
  readonly timeoutMs: number;
  /** waiting: to listen again, stateless era */
  private state: 'idle' | 'listening' | 'waiting' | 'over' = 'idle';
  private away = false;
  private failures = 0;
  private nextId = FIRST_ID;
  /** Of the listen request under way; -1: none. */
  private listenId = -1;
  private timer: NodeJS.Timeout | undefined;
  private readonly subscriptions: Subscriptions;
  /** Requests of its own, by id. */
  private readonly asked = new Map<number, (problem: Problem | undefined) => void>();

  /** @param say sends a message on the session's link */
  constructor(
    private readonly say: (message: string) => void,
    private readonly listener: StreamListener,
    private readonly shared: WireShared,
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
    if (this.away) streams.returned++;
    this.away = false;
    this.listen();
  }

  /** Takes the subscriptions back: the link is the session's, and stays. */
  leave(): void {
    if (this.state === 'over') return;
    if (this.options.pinned.era === 'modern')
      this.stopListening({
        category: 'aborted_by_us',
        detail: 'the stream was left before the subscription was taken',
      });
    else for (const uri of this.subscriptions.uris) this.unsubscribe(uri);
    this.subscriptions.forget();
    this.state = 'idle';
    this.away = true;
  }

  /** With its session, for good; no event follows but `onOver`. @param lost the link is gone, and not by our doing */
  cut(lost: boolean): void {
    if (this.state === 'over') return;
    if (lost && this.state !== 'idle') this.shared.counters.streams.lost++;
    clearTimeout(this.timer);
    this.state = 'over';
    this.listener.onOver();
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
      // What still comes to a client that is away has missed it.
      if (this.isListening) this.listener.onUpdate(bytes, start, end, nowMs);
    } else if (method === 'notifications/subscriptions/acknowledged' && this.listenId >= 0) {
      clearTimeout(this.timer);
      this.failures = 0;
      this.subscriptions.acknowledged(message);
    }
  }

  /** @returns whether it answers a request of this stream's */
  onAnswer(answer: Record<string, unknown>): boolean {
    const { id } = answer;
    const done = typeof id === 'number' ? this.asked.get(id) : undefined;
    if (typeof id !== 'number' || done === undefined) return false;
    this.asked.delete(id);
    done(judgeMessage(answer, id));
    return true;
  }

  subscribe(uri: string, done: (problem: Problem | undefined) => void): void {
    const id = this.nextId++;
    this.request(subscribeMessage(id, uri), id, done);
  }

  // Over a link a lost session is a lost link.
  onSessionLost(): void {}

  private listen(): void {
    const { pinned, clientInfo = CLIENT_INFO } = this.options;
    this.state = 'listening';
    this.shared.counters.streams.opened++;
    this.subscriptions.askAll();
    if (pinned.era === 'legacy') return this.subscriptions.askInTurn(this);
    const id = this.nextId++;
    this.listenId = id;
    this.timer = setTimeout(() => {
      this.stopListening({
        category: 'timeout',
        detail: `no answer to subscriptions/listen within ${this.timeoutMs} ms`,
      });
      this.again();
    }, this.timeoutMs);
    this.request(listenMessage(id, this.listener.uris, pinned.version, clientInfo), id, (problem) =>
      this.listenOver(id, problem),
    );
  }

  /** The answer to `subscriptions/listen` is its end. */
  private listenOver(id: number, problem: Problem | undefined): void {
    if (id !== this.listenId || this.state !== 'listening') return;
    this.listenId = -1;
    clearTimeout(this.timer);
    this.subscriptions.abandon(
      problem ?? { category: 'stream_lost', detail: 'the server ended it before the subscription was taken' },
    );
    this.subscriptions.forget();
    if (problem === undefined) this.shared.counters.streams.ended++;
    // No such method: asking again would get the same answer.
    if (problem?.category !== 'rpc_-32601') this.again();
  }

  private stopListening(problem: Problem): void {
    clearTimeout(this.timer);
    if (this.listenId >= 0) this.say(cancelledMessage(this.listenId, problem.category));
    this.listenId = -1;
    this.subscriptions.abandon(problem);
    this.subscriptions.forget();
  }

  private again(): void {
    // The listener may have left, or the session ended, in answer to what it was told.
    if (this.state !== 'listening') return;
    this.state = 'waiting';
    this.timer = setTimeout(
      () => this.listen(),
      reconnectWaitMs(-1, this.failures++, this.shared.counters.messagesReceived),
    );
  }

  private unsubscribe(uri: string): void {
    const id = this.nextId++;
    this.request(unsubscribeMessage(id, uri), id, () => undefined);
  }

  private request(message: string, id: number, done: (problem: Problem | undefined) => void): void {
    this.asked.set(id, done);
    this.say(message);
  }
}
