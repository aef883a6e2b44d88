import { isObject } from '../../mcp/json-value.js';
import { judgeMessage } from '../../mcp/judge-message.js';
import { CLIENT_INFO, type ClientInfo } from '../../mcp/revisions.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Problem } from '../../measure/failure.js';
import type { StreamControl, StreamListener } from '../channel.js';
import type { ControlOutcome } from '../control.js';
import { judgeControl } from '../handshake.js';
import { reconnectWaitMs } from '../retry.js';
import { getStream, listenStream, subscribeMessage } from '../session-messages.js';
import type { ProfileShared } from '../shared.js';
import {
  type StreamEnd,
  type StreamHost,
  StreamPosition,
  StreamSocket,
  type StreamSocketOwner,
} from './stream-socket.js';
import { type SubscribingStream, Subscriptions } from './subscriptions.js';

export interface ListeningHost extends StreamHost {
  readonly era: 'legacy' | 'modern';
  /** Sends a request beside the load. */
  request(body: string, id: number, done: (outcome: ControlOutcome) => void): void;
  onSessionLost(problem: Problem): void;
}

interface ListeningOptions {
  readonly readBytesPerSecond?: number | undefined;
  readonly clientInfo?: ClientInfo | undefined;
  /** For the head of the stream, and for each subscription. */
  readonly timeoutMs: number;
}

/** idle: not started, or paused · opening · listening · waiting: to be opened again · over: for good */
type State = 'idle' | 'opening' | 'listening' | 'waiting' | 'over';

/**
 * The stream of one session. It is opened, subscribed on, and opened again when it is lost (after `retry:`, or with
 * back-off); where the server numbers its events, it resumes at the point where it broke off. In the stateless era one
 * `subscriptions/listen` does all of that except resuming.
 */
export class ListeningStream implements StreamControl, StreamSocketOwner, SubscribingStream {
  /** Why this session can have no stream; undefined: it may have one. */
  refusal: Problem | undefined;
  private state: State = 'idle';
  private socket: StreamSocket | undefined;
  private readonly position = new StreamPosition();
  private failures = 0;
  private paused = false;
  private timer: NodeJS.Timeout | undefined;
  /** Id of the listen request under way; -1: none yet. */
  private listenId = -1;
  private readonly subscriptions: Subscriptions;

  constructor(
    private readonly host: ListeningHost,
    private readonly listener: StreamListener,
    private readonly shared: ProfileShared,
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

  pause(): void {
    if (this.state === 'over') return;
    this.drop();
    this.state = 'idle';
    this.paused = true;
    if (this.era === 'modern')
      this.subscriptions.abandon({
        category: 'aborted_by_us',
        detail: 'the stream was paused before the server accepted the subscription',
      });
  }

  /** Drops the connection on purpose: the stream is opened again like a lost one, but does not count as lost. */
  reconnect(): void {
    if (this.state !== 'listening' && this.state !== 'opening') return;
    this.drop(true);
    this.subscriptions.abandon({ category: 'aborted_by_us', detail: 'the stream was closed on purpose' });
    this.reopen();
  }

  /** Ends it for good; only `onSessionEnd` follows. */
  end(reset = false): void {
    if (this.state === 'over') return;
    this.drop(reset);
    this.state = 'over';
    this.listener.onSessionEnd();
  }

  onStream(): void {
    const resuming = this.position.lastEventId !== '' && this.listener.resume;
    this.state = 'listening';
    clearTimeout(this.timer);
    this.timer = undefined;
    const { streams } = this.shared.counters;
    if (this.paused) streams.returned++;
    this.paused = false;
    if (resuming && this.era === 'legacy') streams.resumed++;
    else streams.opened++;
    if (this.era === 'legacy') {
      this.failures = 0;
      this.subscriptions.sendInTurn(this);
    }
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number, nowMs: number): void {
    this.rememberPosition();
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
    this.rememberPosition();
    this.drop();
    if (wasListening) this.shared.counters.streams[end.kind === 'ended' ? 'ended' : 'lost']++;
    if (end.kind === 'refused') return this.refused(end.status, end.problem);
    // In the session era a subscription is requested beside the stream: it does not fail with a stream that was open.
    if (end.kind === 'ended') {
      if (this.era === 'modern')
        this.subscriptions.abandon({
          category: 'stream_lost',
          detail: 'the stream ended before the server accepted the subscription',
        });
    } else if (!wasListening || this.era === 'modern') this.subscriptions.abandon(end.problem);
    this.reopen();
  }

  subscribe(uri: string, done: (problem: Problem | undefined) => void): void {
    const id = this.shared.ids.take();
    this.host.request(subscribeMessage(id, uri), id, (outcome) => {
      done(outcome.kind === 'failed' ? outcome.failure : judgeControl(outcome.answer, id, 'legacy', this.hasSession));
    });
  }

  onSessionLost(problem: Problem): void {
    this.host.onSessionLost(problem);
  }

  private attempt(): void {
    const { host, listener, shared, options } = this;
    this.state = 'opening';
    this.timer = setTimeout(() => this.timedOut(), options.timeoutMs);
    const request =
      this.era === 'modern'
        ? this.listen()
        : getStream(host.endpoint, host.sessionHeaders(), listener.resume ? this.position.lastEventId : '');
    this.socket = new StreamSocket(this, shared, host.address, request, options.readBytesPerSecond);
    // Requested now, so that the time of a subscription includes the time of the stream it needs.
    if (this.era === 'legacy') this.subscriptions.requestAll();
  }

  private listen(): Buffer {
    const { host, listener, options } = this;
    this.listenId = this.shared.ids.take();
    this.subscriptions.forget();
    this.subscriptions.requestAll();
    this.shared.counters.messagesSent++;
    return listenStream(
      host.endpoint,
      host.sessionHeaders(),
      this.listenId,
      listener.uris,
      options.clientInfo ?? CLIENT_INFO,
    );
  }

  /** The answer to `subscriptions/listen` ends the subscription; an error is the reason why there was none. */
  private listenAnswered(problem: Problem | undefined): void {
    if (problem !== undefined) this.subscriptions.abandon(problem);
  }

  private refused(status: number, problem: Problem): void {
    if (problem.category === 'session_lost') return this.host.onSessionLost(problem);
    if (this.position.lastEventId !== '' && status >= 400 && status < 500 && status !== 409 && status !== 429) {
      // The server does not know our last event: what we missed is lost, but a new stream may open.
      this.position.lastEventId = '';
      return this.reopen();
    }
    this.subscriptions.abandon(problem);
    // No streams (405, 2025-11-25), or no such method: asking again would get the same answer.
    if (status === 405 || problem.category === 'rpc_-32601') {
      this.refusal = problem;
      this.state = 'idle';
    } else this.reopen();
  }

  private reopen(): void {
    // The listener may have ended the session in one of its events.
    if (this.state === 'over') return;
    this.state = 'waiting';
    this.timer = setTimeout(
      () => this.attempt(),
      reconnectWaitMs(this.position.retryMs, this.failures++, this.shared.counters.messagesReceived),
    );
  }

  private timedOut(): void {
    this.drop();
    this.subscriptions.abandon({
      category: 'timeout',
      detail: `no answer to the request for a stream within ${this.options.timeoutMs} ms`,
    });
    this.reopen();
  }

  private rememberPosition(): void {
    if (this.socket !== undefined) this.position.follow(this.socket);
  }

  private drop(reset = false): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.rememberPosition();
    this.socket?.destroy(reset);
    this.socket = undefined;
  }
}
