import type { RequestTemplate } from '../../mcp/compile-request.js';
import { FIRST_ID, LAST_ID } from '../../mcp/digits.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../mcp/judge-message.js';
import type { Failure } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from '../channel.js';
import type { ControlOutcome } from '../control.js';
import { CookieJar } from '../cookie-jar.js';
import type { DrawnCall, EndpointMemory } from '../endpoint-memory.js';
import { RequestHead, type RequestKind } from '../request-head.js';
import type { FailedAnswer } from '../sample.js';
import { endpointMemory, type WireShared } from '../shared.js';
import type { Address } from '../socket/socket.js';
import { ResumedCalls, type ResumingSession } from '../stream/call-resumption.js';
import { ListeningStream, type StreamHost } from '../stream/listening-stream.js';
import { type AnswerReader, CONTROL_TICKET } from './answer-reader.js';
import { type BrokenCall, Connection, type ConnectionOwner } from './connection.js';
import { ConnectionSet } from './connection-set.js';
import { ControlSender, type ControlSenderOwner } from './control-sender.js';
import { type Opened, SessionOpening } from './session-opening.js';

/** How long a goodbye may take before the sockets are closed without it. */
const GOODBYE_MS = 2000;

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

/** MCP over Streamable HTTP: one session with its connections. */
export class StreamableHttp implements Channel, ConnectionOwner, ControlSenderOwner, ResumingSession, StreamHost {
  readonly memory: EndpointMemory;
  readonly era: 'legacy' | 'modern';
  private state: State = 'new';
  private sessionId: string | undefined;
  private version: string;
  private readonly connections: ConnectionSet;
  private opening: SessionOpening | undefined;
  private readonly controlSender: ControlSender;
  /** Made by the first call whose stream breaks off. */
  private resumed: ResumedCalls | undefined;
  /** What the server says by itself, where somebody listens. */
  private stream: ListeningStream | undefined;
  private nextId = FIRST_ID;
  private heads: (RequestHead | undefined)[];
  /** Undefined: cookies are not kept. */
  private readonly cookies: CookieJar | undefined;
  /** To draw a failed request again. */
  private seed = 0;
  private goodbye: NodeJS.Timeout | undefined;
  private readonly loadAddress: Address;

  /** @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent */
  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: WireShared,
  ) {
    this.era = config.pinned.era;
    this.version = config.pinned.version;
    this.memory = endpointMemory(config, shared);
    this.loadAddress = config.resettable === true ? { ...this.memory.address, resettable: true } : this.memory.address;
    this.cookies = config.endpoint.cookies === true ? new CookieJar() : undefined;
    // Heads that hold cookies are this channel's own.
    this.heads = this.cookies !== undefined ? [] : this.memory.heads;
    this.connections = new ConnectionSet(config.connections, () => this.newConnection(config.pipeline));
    this.controlSender = new ControlSender(this, config.endpoint, shared);
  }

  get hasSession(): boolean {
    return this.sessionId !== undefined;
  }

  get endpoint(): Endpoint {
    return this.config.endpoint;
  }

  /** Of streams. */
  get address(): Address {
    return this.memory.address;
  }

  get room(): number {
    return this.state === 'open' ? this.connections.room : 0;
  }

  open(): void {
    this.state = 'opening';
    this.opening = new SessionOpening(this.config, this.connections, this.controlSender, this.memory, (outcome) =>
      this.opened(outcome),
    );
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const connection = this.connections.next();
    const head = (this.heads[template.index] ??= this.newHead(template));
    if (this.sessionId !== undefined) head.bind(this.sessionId);
    this.memory.templates[template.index] ??= template;
    this.seed = draw.seed;
    const id = this.nextId;
    this.nextId = id === LAST_ID ? FIRST_ID : id + 1;
    connection.send(head, template, draw, id, ticket);
  }

  flush(): void {
    this.connections.flush();
  }

  abandon(ticket: number): void {
    const sent = this.connections.abandon(ticket);
    const id = sent < 0 ? (this.resumed?.abandon(ticket) ?? -1) : sent;
    // To cancel, closing the connection is not enough (2025-11-25, "Cancellation"); where there are no sessions, it is.
    if (id >= 0 && this.era === 'legacy' && this.sessionId !== undefined && this.state === 'open')
      this.controlSender.cancel(id);
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const aborted: Problem = {
      category: 'aborted_by_us',
      detail: 'the session was closed while this request was in flight',
    };
    if (this.state !== 'open')
      return this.opened({
        kind: 'failed',
        failure: { ...aborted, detail: 'the session was closed before it was open' },
      });
    this.state = 'closing';
    this.stream?.cut(how === 'reset');
    this.resumed?.cut(aborted, how === 'reset');
    if (how !== 'delete' || this.sessionId === undefined) return this.finish(how === 'reset', aborted);
    for (const connection of this.connections.all) if (connection.ring.count > 0) connection.cut(false, aborted);
    const finish = (): void => this.finish(false, aborted);
    this.goodbye = setTimeout(finish, GOODBYE_MS);
    // Servers may refuse to end a session (405) or have forgotten it (404): it is over for us either way.
    this.controlSender.ask({ verb: 'DELETE' }, '', { id: undefined, done: finish });
  }

  breakOff(): void {
    if (this.state !== 'open') return;
    const problem: Problem = {
      category: 'aborted_by_us',
      detail: 'the connection was broken off on purpose while this request was in flight',
    };
    this.stream?.breakOff();
    this.resumed?.cut(problem, true);
    for (const connection of this.connections.all) connection.breakOff(problem);
  }

  destroy(): void {
    this.state = 'closed';
    this.stopTimers();
    this.stream?.cut();
    this.resumed?.cut();
    for (const connection of this.all()) connection.cut(false);
  }

  onUp(connection: Connection): void {
    this.opening?.onUp(connection);
  }

  onDown(connection: Connection, failure: Failure | undefined): void {
    this.opening?.onDown(connection, failure);
  }

  onTicket(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void {
    if (failure?.category !== 'session_lost' || this.state !== 'open')
      return this.events.onAnswer(ticket, nowMs, failure, replica);
    this.state = 'closed';
    this.events.onAnswer(ticket, nowMs, failure, replica);
    this.lose();
  }

  private lose(): void {
    this.state = 'closed';
    this.stream?.cut();
    const problem: Problem = {
      category: 'session_lost',
      detail: 'the session was lost while this request was in flight',
    };
    this.resumed?.cut(problem);
    for (const connection of this.all()) connection.cut(false, problem);
    this.events.onClosed('lost');
  }

  onRoom(): void {
    if (this.state === 'open') this.events.onRoom();
  }

  onSetCookie(setCookie: string): void {
    // The heads that were laid out hold the old ones.
    if (this.cookies?.keep(setCookie) === true) this.heads.length = 0;
  }

  onServerRequest(request: Record<string, unknown>): void {
    this.controlSender.answer(request);
  }

  /** The session era's streams number their events; a session's own requests are not worth it. */
  onBroken(call: BrokenCall): boolean {
    if (this.era !== 'legacy' || this.state !== 'open' || call.ticket === CONTROL_TICKET) return false;
    this.resumed ??= new ResumedCalls(this, this.shared, this.config.readBytesPerSecond);
    this.resumed.take(call);
    return true;
  }

  onReadStart(nowMs: number): void {
    this.connections.readStarted();
    this.events.onReadStart?.(nowMs);
  }

  onReadOver(): void {
    this.events.onReadOver?.();
    this.connections.readOver();
  }

  describe(problem: Problem, reader: AnswerReader): Failure {
    const { ring } = reader;
    if (ring.ticket === CONTROL_TICKET) return problem;
    return this.failureOf(
      ring,
      problem,
      reader.answering ? { head: reader.parser.head, body: () => reader.bodyText() } : undefined,
    );
  }

  failureOf(call: DrawnCall, problem: Problem, answer: FailedAnswer | undefined): Failure {
    return this.memory.failureOf(call, this.seed, this.sessionHeaders(), problem, answer);
  }

  private opened(outcome: Opened): void {
    if (outcome.kind === 'failed') {
      this.destroy();
      return this.events.onOpenFailed(outcome.failure);
    }
    const { greeting, startedAtMs } = outcome;
    if (greeting !== undefined) {
      this.sessionId = greeting.sessionId;
      this.version = greeting.version;
      if (this.cookies === undefined) this.heads = this.memory.headsFor(this.version, this.sessionId ?? '');
    }
    this.opening = undefined;
    this.state = 'open';
    this.events.onOpen(this.shared.now() - startedAtMs);
    // Unless it was closed in answer to that.
    if (this.isOpen) this.stream = sessionStream(this, this.config, this.shared);
  }

  private get isOpen(): boolean {
    return this.state === 'open';
  }

  request(body: string, id: number, done: (outcome: ControlOutcome) => void): void {
    this.controlSender.ask({ verb: 'POST' }, body, {
      id,
      done: (outcome) => {
        done(outcome);
        // It may have taken the load's room on a connection for a while.
        this.onRoom();
      },
    });
  }

  onSessionLost(): void {
    if (this.isOpen) this.lose();
  }

  private finish(reset: boolean, aborted: Problem): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.stopTimers();
    for (const connection of this.all()) connection.cut(reset, aborted);
    queueMicrotask(() => this.events.onClosed('closed'));
  }

  onHeard(replica: number, unknown: boolean): void {
    this.events.onControlAnswer?.(replica, unknown);
  }

  idleConnection(): Connection | undefined {
    return this.connections.idle;
  }

  sessionHeaders(): SessionHeaders {
    return { sessionId: this.sessionId, version: this.version, cookie: this.cookies?.header };
  }

  private newHead(template: RequestTemplate): RequestHead {
    return new RequestHead(
      this.config.endpoint,
      { ...this.config.pinned, version: this.version },
      this.sessionId,
      template,
      this.cookies?.header,
    );
  }

  /** A cleared timer is still an object: thousands of channels need not keep theirs. */
  private stopTimers(): void {
    this.opening?.cancel();
    this.opening = undefined;
    clearTimeout(this.goodbye);
    this.goodbye = undefined;
  }

  newConnection(depth: number): Connection {
    return new Connection(this, this.shared, this.loadAddress, depth, this.config);
  }

  private all(): readonly Connection[] {
    const { side } = this.controlSender;
    const { all } = this.connections;
    return side === undefined ? all : [...all, side];
  }
}

/** What every request of a session carries, as far as the handshake has settled it. */
type SessionHeaders = Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;

const STREAM_TIMEOUT_MS = 30_000;

/** The stream of a session that has just been opened; undefined where nobody listens. Its listener starts it. */
function sessionStream(host: StreamHost, config: ChannelConfig, shared: WireShared): ListeningStream | undefined {
  if (config.listener === undefined) return undefined;
  const { readBytesPerSecond, clientInfo, openTimeoutMs = STREAM_TIMEOUT_MS } = config;
  const stream = new ListeningStream(host, config.listener, shared, {
    readBytesPerSecond,
    clientInfo,
    timeoutMs: openTimeoutMs,
  });
  config.listener.onReady(stream);
  return stream;
}
