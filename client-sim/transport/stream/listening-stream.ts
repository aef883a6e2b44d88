import { CLIENT_INFO, type ClientInfo } from '../../mcp/revisions.js';
import { isObject, judgeMessage, violation, type Problem } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Endpoint } from '../../protocol/messages.js';
import { judgeControl } from '../handshake.js';
import type { ControlOutcome } from '../http/control.js';
import type { Address } from '../http/socket.js';
import type { RequestKind } from '../request-head.js';
import type { WireShared } from '../shared.js';
import { reconnectWaitMs } from './reconnect-wait.js';
import type { StreamControl, StreamListener } from './stream-listener.js';
import { getStream, listenStream, subscribeMessage } from './stream-request.js';
import { StreamSocket, type StreamEnd, type StreamSocketOwner } from './stream-socket.js';

/** The session a stream belongs to. */
export interface StreamHost {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** Session, version and cookie headers. */
  settled(): Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;
  /** Sends a request beside the load. */
  request(body: string, id: number, done: (outcome: ControlOutcome) => void): void;
  onServerRequest(request: Record<string, unknown>): void;
  onSessionLost(problem: Problem): void;
}

export interface ListeningOptions {
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
 * The stream of one session: opened, subscribed on, opened again when it is lost (after `retry:`, or with back-off), from
 * where it broke off where the server numbers its events. In the stateless era one `subscriptions/listen` is all of that
 * but for the resuming.
 */
export class ListeningStream implements StreamControl, StreamSocketOwner {
  /** Why there will be no stream in this session; undefined: there may be. */
  refusal: Problem | undefined;
  private state: State = 'idle';
  private socket: StreamSocket | undefined;
  private lastEventId = '';
  private retryMs = -1;
  private failures = 0;
  private away = false;
  /** A subscription is on the wire. */
  private posting = false;
  private timer: NodeJS.Timeout | undefined;
  private nextId = FIRST_ID;
  /** Of the listen request under way. */
  private listenId = -1;
  /** By place in `uris`: asked for and not answered, and taken. */
  private readonly asked = new Set<number>();
  private readonly subscribed = new Set<number>();
  private readonly host: StreamHost;
  private readonly listener: StreamListener;
  private readonly shared: WireShared;
  private readonly options: ListeningOptions;

  constructor(host: StreamHost, listener: StreamListener, shared: WireShared, options: ListeningOptions) {
    this.host = host;
    this.listener = listener;
    this.shared = shared;
    this.options = options;
  }

  get era(): 'legacy' | 'modern' {
    return this.host.era;
  }
  get hasSession(): boolean {
    return this.host.hasSession;
  }

  start(): void {
    if (this.state === 'idle' && this.refusal === undefined) this.attempt();
  }

  leave(): void {
    if (this.state === 'over') return;
    this.drop();
    this.state = 'idle';
    this.away = true;
    if (this.era === 'modern') this.abandonSubscriptions({ category: 'aborted_by_us', detail: 'the stream was left before the subscription was taken' });
  }

  /** On purpose, as if the network had: it is opened again like one that was lost, but does not count as lost. */
  breakOff(): void {
    if (this.state !== 'listening' && this.state !== 'opening') return;
    this.drop(true);
    this.abandonSubscriptions({ category: 'aborted_by_us', detail: 'the stream was broken off on purpose' });
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
      this.subscribeNext();
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
    } else if (method === 'notifications/subscriptions/acknowledged' && this.era === 'modern') this.acknowledged(message);
  }

  onEnd(end: StreamEnd): void {
    const wasListening = this.state === 'listening';
    this.keepPlace();
    this.drop();
    if (wasListening) this.shared.counters.streams[end.kind === 'ended' ? 'ended' : 'lost']++;
    if (end.kind === 'refused') return this.refused(end.status, end.problem);
    // In the session era a subscription is asked for beside the stream: it does not fail with one that had been open.
    if (end.kind === 'ended') {
      if (this.era === 'modern') this.abandonSubscriptions({ category: 'stream_lost', detail: 'the stream ended before the subscription was taken' });
    } else if (!wasListening || this.era === 'modern') this.abandonSubscriptions(end.problem);
    this.again();
  }

  private attempt(): void {
    const { host, listener, shared, options } = this;
    this.state = 'opening';
    this.timer = setTimeout(() => this.timedOut(), options.timeoutMs);
    const request = this.era === 'modern' ? this.listen() : getStream(host.endpoint, host.settled(), listener.resume ? this.lastEventId : '');
    this.socket = new StreamSocket(this, shared, host.address, request, options.readBytesPerSecond);
    // Asked for before anything can be missed, so that their time includes that of the stream they need.
    if (this.era === 'legacy') for (let index = 0; index < listener.uris.length; index++) this.ask(index);
  }

  private listen(): Buffer {
    const { host, listener, options } = this;
    this.listenId = this.nextId++;
    this.subscribed.clear();
    for (let index = 0; index < listener.uris.length; index++) this.ask(index);
    this.shared.counters.messagesSent++;
    return listenStream(host.endpoint, host.settled(), this.listenId, listener.uris, options.clientInfo ?? CLIENT_INFO);
  }

  private ask(index: number): void {
    if (this.asked.has(index) || this.subscribed.has(index)) return;
    this.asked.add(index);
    this.listener.onSubscribing(index);
  }

  /** One after the other: a client with many topics has no more than one such request on the wire. */
  private subscribeNext(): void {
    const [index] = this.asked;
    if (index === undefined || this.state !== 'listening' || this.posting) return;
    const id = this.nextId++;
    this.posting = true;
    let waiting = true;
    const over = (problem: Problem | undefined): void => {
      if (!waiting) return;
      waiting = false;
      this.posting = false;
      clearTimeout(timer);
      if (this.state === 'over') return;
      this.taken(index, problem);
      if (problem?.category === 'session_lost') this.host.onSessionLost(problem);
      else this.subscribeNext();
    };
    const timer = setTimeout(() => over({ category: 'timeout', detail: `no answer to resources/subscribe within ${this.options.timeoutMs} ms` }), this.options.timeoutMs);
    this.host.request(subscribeMessage(id, this.listener.uris[index] ?? ''), id, (outcome) => {
      over(outcome.kind === 'failed' ? outcome.failure : judgeControl(outcome.answer, id, 'legacy', this.hasSession));
    });
  }

  private taken(index: number, problem: Problem | undefined): void {
    if (!this.asked.delete(index)) return;
    if (problem === undefined) this.subscribed.add(index);
    this.listener.onSubscribed(index, problem);
  }

  private acknowledged(message: Record<string, unknown>): void {
    this.failures = 0;
    const params = isObject(message['params']) ? message['params'] : {};
    const notifications = isObject(params['notifications']) ? params['notifications'] : {};
    const honoured: unknown = notifications['resourceSubscriptions'];
    const uris = new Set<unknown>(Array.isArray(honoured) ? honoured : []);
    for (const index of [...this.asked]) {
      const uri = this.listener.uris[index];
      this.taken(index, uris.has(uri) ? undefined : violation(`the server did not take the subscription to ${uri}`));
    }
  }

  /** The answer to `subscriptions/listen` itself ends the subscription; an error says why there was none. */
  private listenAnswered(problem: Problem | undefined): void {
    if (problem !== undefined) this.abandonSubscriptions(problem);
  }

  private refused(status: number, problem: Problem): void {
    if (problem.category === 'session_lost') return this.host.onSessionLost(problem);
    if (this.lastEventId !== '' && status >= 400 && status < 500 && status !== 409 && status !== 429) {
      // It does not know where we were: the rest is lost, the stream need not be.
      this.lastEventId = '';
      return this.again();
    }
    this.abandonSubscriptions(problem);
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
    this.timer = setTimeout(() => this.attempt(), reconnectWaitMs(this.retryMs, this.failures++, this.shared.counters.messagesReceived));
  }

  private timedOut(): void {
    this.drop();
    this.abandonSubscriptions({ category: 'timeout', detail: `no answer to the request for a stream within ${this.options.timeoutMs} ms` });
    this.again();
  }

  private abandonSubscriptions(problem: Problem): void {
    for (const index of [...this.asked]) this.taken(index, problem);
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
