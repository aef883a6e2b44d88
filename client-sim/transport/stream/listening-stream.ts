import { isObject, judgeMessage, type Problem } from '../../mcp/judge-message.js';
import { CLIENT_INFO, type ClientInfo } from '../../mcp/revisions.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { StreamControl, StreamListener } from '../channel.js';
import type { ControlOutcome } from '../control.js';
import { judgeControl } from '../handshake.js';
import type { RequestKind } from '../request-head.js';
import { reconnectWaitMs } from '../retry.js';
import { getStream, listenStream, subscribeMessage } from '../session-messages.js';
import type { WireShared } from '../shared.js';
import type { Address } from '../socket/socket.js';
import { type StreamEnd, StreamSocket, type StreamSocketOwner } from './stream-socket.js';
import { type SubscribingSession, Subscriptions } from './subscriptions.js';

/** The session a stream belongs to. */
export interface StreamHost {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** Session, version and cookie headers. */
  sessionHeaders(): Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;
  /** Sends a request beside the load. */
  request(body: string, id: number, done: (outcome: ControlOutcome) => void): void;
  onServerRequest(request: Record<string, unknown>): void;
  onSessionLost(problem: Problem): void;
}

interface ListeningOptions {
  readonly readBytesPerSecond?: number | undefined;
  readonly clientInfo?: ClientInfo | undefined;
  /** For the head of the stream, and for each subscription. */
  readonly timeoutMs: number;
}

/**
 * idle: not started, or away · opening · listening · waiting: to be opened again · over: for good
 */
type State = 'idle' | 'opening' | 'listening' | 'waiting' | 'over';

/** Ids of our own: none of the load's, which have ten digits, and not that of `initialize`. */
const FIRST_ID = 2;

/**
 * The stream of one session: opened, subscribed on, opened again when it is lost (after `retry:`, or with back-off),
 * from where it broke off where the server numbers its events. In the stateless era one `subscriptions/listen` is all
 * of that but for the resuming.
 */
export class ListeningStream implements StreamControl, StreamSocketOwner, SubscribingSession {
  /** Why there will be no stream in this session; undefined: there may be. */
  refusal: Problem | undefined;
  private state: State = 'idle';
  private socket: StreamSocket | undefined;
  private lastEventId = '';
  private retryMs = -1;
  private failures = 0;
  private away = false;
  private timer: NodeJS.Timeout | undefined;
  private nextId = FIRST_ID;
  /** Of the listen request under way. */
  private listenId = -1;
  private readonly subscriptions: Subscriptions;

  constructor(
    private readonly host: StreamHost,
    private readonly listener: StreamListener,
    private readonly shared: WireShared,
    private readonly options: ListeningOptions,
  ) {
    this.subscriptions = new Subscriptions(listener);
  }

  get era(): 'legacy' | 'modern' {
    return this.host.era;
  }
  get hasSession(): boolean {
    return this.host.hasSession;
  }

  get isListening(): boolean {
    return this.state === 'listening';
  }
  get isOver(): boolean {
    return this.state === 'over';
  }
  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  start(): void {
    if (this.state === 'idle' && this.refusal === undefined) this.attempt();
  }

  leave(): void {
    if (this.state === 'over') return;
    this.drop();
    this.state = 'idle';
    this.away = true;
    if (this.era === 'modern')
      this.subscriptions.abandon({
        category: 'aborted_by_us',
        detail: 'the stream was left before the subscription was taken',
      });
  }

  /** On purpose, as if the network had: it is opened again like one that was lost, but does not count as lost. */
  breakOff(): void {
    if (this.state !== 'listening' && this.state !== 'opening') return;
    this.drop(true);
    this.subscriptions.abandon({ category: 'aborted_by_us', detail: 'the stream was broken off on purpose' });
    this.again();
  }

  /** For good; no event follows but `onOver`. */
  cut(reset = false): void {
    if (this.state === 'over') return;
    this.drop(reset);
    this.state = 'over';
    this.listener.onOver();
  }

  onStream(): void {
    const resuming = this.lastEventId !== '' && this.listener.resume;
    this.state = 'listening';
    clearTimeout(this.timer);
    this.timer = undefined;
    const { streams } = this.shared.counters;
    if (this.away) streams.returned++;
    this.away = false;
    if (resuming && this.era === 'legacy') streams.resumed++;
    else streams.opened++;
    if (this.era === 'legacy') {
      this.failures = 0;
      this.subscriptions.askInTurn(this);
    }
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.keepPlace();
    // The first event of a stream may hold nothing but its id (2025-11-25, "Sending Messages to the Server").
    if (type !== 'message' || start === end) return;
    const { counters } = this.shared;
    counters.messagesReceived++;
    const parsed = parseMessage(bytes, start, end);
    if (!parsed.ok || !isObject(parsed.value)) {
      counters.streams.unreadable++;
      return;
    }
    const message = parsed.value;
    const { method, id } = message;
    if (typeof method !== 'string') {
      if (id === this.listenId) this.listenAnswered(judgeMessage(message, this.listenId));
      return;
    }
    if (id !== undefined && id !== null) {
      this.host.onServerRequest(message);
    } else if (method === 'notifications/resources/updated') {
      counters.streams.updates++;
      this.listener.onUpdate(bytes, start, end, nowMs);
    } else if (method === 'notifications/progress') {
      counters.streams.progress++;
    } else if (method === 'notifications/subscriptions/acknowledged' && this.era === 'modern') {
      this.failures = 0;
      this.subscriptions.acknowledged(message);
    }
  }

  onEnd(end: StreamEnd): void {
    const wasListening = this.state === 'listening';
    this.keepPlace();
    this.drop();
    if (wasListening) this.shared.counters.streams[end.kind === 'ended' ? 'ended' : 'lost']++;
    if (end.kind === 'refused') return this.refused(end.status, end.problem);
    // In the session era a subscription is asked for beside the stream: it does not fail with one that had been open.
    if (end.kind === 'ended') {
      if (this.era === 'modern')
        this.subscriptions.abandon({
          category: 'stream_lost',
          detail: 'the stream ended before the subscription was taken',
        });
    } else if (!wasListening || this.era === 'modern') this.subscriptions.abandon(end.problem);
    this.again();
  }

  private attempt(): void {
    const { host, listener, shared, options } = this;
    this.state = 'opening';
    this.timer = setTimeout(() => this.timedOut(), options.timeoutMs);
    const request =
      this.era === 'modern'
        ? this.listen()
        : getStream(host.endpoint, host.sessionHeaders(), listener.resume ? this.lastEventId : '');
    this.socket = new StreamSocket(this, shared, host.address, request, options.readBytesPerSecond);
    // Asked for before anything can be missed, so that their time includes that of the stream they need.
    if (this.era === 'legacy') this.subscriptions.askAll();
  }

  private listen(): Buffer {
    const { host, listener, options } = this;
    this.listenId = this.nextId++;
    this.subscriptions.forget();
    this.subscriptions.askAll();
    this.shared.counters.messagesSent++;
    return listenStream(
      host.endpoint,
      host.sessionHeaders(),
      this.listenId,
      listener.uris,
      options.clientInfo ?? CLIENT_INFO,
    );
  }

  subscribe(uri: string, done: (problem: Problem | undefined) => void): void {
    const id = this.nextId++;
    this.host.request(subscribeMessage(id, uri), id, (outcome) => {
      done(outcome.kind === 'failed' ? outcome.failure : judgeControl(outcome.answer, id, 'legacy', this.hasSession));
    });
  }

  onSessionLost(problem: Problem): void {
    this.host.onSessionLost(problem);
  }

  /** The answer to `subscriptions/listen` itself ends the subscription; an error says why there was none. */
  private listenAnswered(problem: Problem | undefined): void {
    if (problem !== undefined) this.subscriptions.abandon(problem);
  }

  private refused(status: number, problem: Problem): void {
    if (problem.category === 'session_lost') return this.host.onSessionLost(problem);
    if (this.lastEventId !== '' && status >= 400 && status < 500 && status !== 409 && status !== 429) {
      // It does not know where we were: the rest is lost, the stream need not be.
      this.lastEventId = '';
      return this.again();
    }
    this.subscriptions.abandon(problem);
    // No streams here (405, 2025-11-25), or no such method: asking again would get the same answer.
    if (status === 405 || problem.category === 'rpc_-32601') {
      this.refusal = problem;
      this.state = 'idle';
    } else this.again();
  }

  private again(): void {
    // The listener may have left, or the session ended, in answer to what it was told.
    if (this.state === 'over') return;
    this.state = 'waiting';
    this.timer = setTimeout(
      () => this.attempt(),
      reconnectWaitMs(this.retryMs, this.failures++, this.shared.counters.messagesReceived),
    );
  }

  private timedOut(): void {
    this.drop();
    this.subscriptions.abandon({
      category: 'timeout',
      detail: `no answer to the request for a stream within ${this.options.timeoutMs} ms`,
    });
    this.again();
  }

  /** Keeps where we are, as far as whole events go. */
  private keepPlace(): void {
    const { socket } = this;
    if (socket === undefined) return;
    if (socket.sse.lastEventId !== '') this.lastEventId = socket.sse.lastEventId;
    if (socket.sse.retryMs >= 0) this.retryMs = socket.sse.retryMs;
  }

  private drop(reset = false): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.keepPlace();
    this.socket?.cut(reset);
    this.socket = undefined;
  }
}
