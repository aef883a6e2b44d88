import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { DrawnRules } from '../../mcp/expectation.js';
import type { Failure, Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import {
  type Channel,
  type ChannelConfig,
  type ChannelEvents,
  CLOSE_TIMEOUT_MS,
  OPEN_TIMEOUT_MS,
  type StreamListener,
} from '../channel.js';
import type { ControlOutcome } from '../control.js';
import { CookieJar } from '../cookie-jar.js';
import type { DrawnCall, EndpointMemory, FailedAnswer } from '../endpoint-memory.js';
import { RequestHead, type SessionHeaders } from '../request-head.js';
import { CLOSED_BEFORE_OPEN, CLOSED_IN_FLIGHT, DISCONNECTED_IN_FLIGHT, LOST_IN_FLIGHT } from '../session-problems.js';
import { endpointMemory, type ProfileShared } from '../shared.js';
import { type Address, resettableIf } from '../socket/socket.js';
import { ResumedCalls, type ResumingSession } from '../stream/call-resumption.js';
import { type ListeningHost, ListeningStream } from '../stream/listening-stream.js';
import { type AnswerView, CONTROL_TICKET } from './answer-reader.js';
import { type BrokenCall, Connection, type ConnectionOwner } from './connection.js';
import { ConnectionSet } from './connection-set.js';
import { ControlSender } from './control-sender.js';
import { type OpenOutcome, SessionOpening } from './session-opening.js';

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

/** MCP over Streamable HTTP: one session with its connections. */
export class StreamableHttp implements Channel, ConnectionOwner, ResumingSession, ListeningHost {
  readonly memory: EndpointMemory;
  readonly era: 'legacy' | 'modern';
  private state: State = 'new';
  private sessionId: string | undefined;
  private version: string;
  private readonly connections: ConnectionSet;
  private opening: SessionOpening | undefined;
  private readonly controlSender: ControlSender;
  /** Created by the first call whose stream breaks off. */
  private resumed: ResumedCalls | undefined;
  /** The messages that the server sends on its own, where there is a listener. */
  private stream: ListeningStream | undefined;
  private heads: (RequestHead | undefined)[];
  /** Undefined: cookies are not kept. */
  private readonly cookies: CookieJar | undefined;
  /** To render a failed request again. */
  seed = 0;
  private closeTimer: NodeJS.Timeout | undefined;
  private readonly loadAddress: Address;

  /** @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent */
  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: ProfileShared,
  ) {
    this.era = config.pinned.era;
    this.version = config.pinned.version;
    this.memory = endpointMemory(config, shared);
    this.loadAddress = resettableIf(config.resettable, this.memory.address);
    this.cookies = config.endpoint.cookies === true ? new CookieJar() : undefined;
    // Heads with cookies belong to this channel alone.
    this.heads = this.cookies !== undefined ? [] : this.memory.heads;
    this.connections = new ConnectionSet(this, config.connections, config.pipeline);
    this.controlSender = new ControlSender(this, this.connections, config.endpoint, shared);
  }

  get hasSession(): boolean {
    return this.sessionId !== undefined;
  }

  get endpoint(): Endpoint {
    return this.config.endpoint;
  }

  /** For streams. */
  get address(): Address {
    return this.memory.address;
  }

  get room(): number {
    return this.state === 'open' ? this.connections.room : 0;
  }

  open(): void {
    this.state = 'opening';
    this.opening = new SessionOpening(
      this.config,
      this.connections,
      this.controlSender,
      this.memory,
      this.shared.ids,
      (outcome) => this.opened(outcome),
    );
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const connection = this.connections.next();
    const head = (this.heads[template.index] ??= this.newHead(template));
    if (this.sessionId !== undefined) head.bind(this.sessionId);
    this.memory.templates[template.index] ??= template;
    this.seed = draw.seed;
    connection.send(head, template, draw, this.shared.ids.take(), ticket);
  }

  flush(): void {
    this.connections.flush();
  }

  abandon(ticket: number): void {
    const sent = this.connections.abandon(ticket);
    const id = sent < 0 ? (this.resumed?.abandon(ticket) ?? -1) : sent;
    // Closing the connection does not cancel a request within a session (2025-11-25, "Cancellation").
    if (id >= 0 && this.era === 'legacy' && this.sessionId !== undefined && this.state === 'open')
      this.controlSender.cancel(id);
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    if (this.state !== 'open') return this.opened({ kind: 'failed', failure: CLOSED_BEFORE_OPEN });
    this.state = 'closing';
    this.stream?.end(how === 'reset');
    this.resumed?.endAll(CLOSED_IN_FLIGHT, how === 'reset');
    if (how !== 'delete' || this.sessionId === undefined) return this.finish(how === 'reset');
    for (const connection of this.connections.all)
      if (connection.ring.count > 0) connection.destroy(false, CLOSED_IN_FLIGHT);
    const finish = (): void => this.finish(false);
    this.closeTimer = setTimeout(finish, CLOSE_TIMEOUT_MS);
    // Servers may refuse to end a session (405) or have forgotten it (404): either way it is over for us.
    this.controlSender.send({ verb: 'DELETE' }, '', { id: undefined, done: finish });
  }

  disconnect(): void {
    if (this.state !== 'open') return;
    this.stream?.reconnect();
    this.resumed?.endAll(DISCONNECTED_IN_FLIGHT, true);
    for (const connection of this.connections.all) connection.reconnect(DISCONNECTED_IN_FLIGHT);
  }

  destroy(): void {
    this.state = 'closed';
    this.stopTimers();
    this.stream?.end();
    this.resumed?.endAll();
    for (const connection of this.connections.withSide) connection.destroy(false);
  }

  onUp(connection: Connection): void {
    this.opening?.onUp(connection);
  }

  onDown(connection: Connection, failure: Failure | undefined): void {
    this.opening?.onDown(connection, failure);
  }

  onOutcome(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void {
    if (failure?.category !== 'session_lost' || this.state !== 'open')
      return this.events.onAnswer(ticket, nowMs, failure, replica);
    this.state = 'closed';
    this.events.onAnswer(ticket, nowMs, failure, replica);
    this.lose();
  }

  onRoom(): void {
    if (this.state === 'open') this.events.onRoom();
  }

  onLeft({ ring, heldUpMs }: Connection): void {
    if (this.state !== 'open' || this.events.onLeft === undefined) return;
    const tickets: number[] = [];
    ring.forEachWaiting((ticket) => {
      if (ticket !== CONTROL_TICKET) tickets.push(ticket);
    });
    if (tickets.length > 0) this.events.onLeft(tickets, heldUpMs);
  }

  onSetCookie(setCookie: string): void {
    // The existing heads hold the old cookies.
    if (this.cookies?.keep(setCookie) === true) this.heads.length = 0;
  }

  onServerRequest(request: Record<string, unknown>): void {
    this.controlSender.answer(request);
  }

  /** Only the session era's streams number their events; the session's own requests are not worth resuming. */
  onBroken(call: BrokenCall): boolean {
    if (this.era !== 'legacy' || this.state !== 'open' || call.ticket === CONTROL_TICKET) return false;
    this.resumed ??= new ResumedCalls(this, this.shared, this.config.readBytesPerSecond);
    this.resumed.add(call);
    return true;
  }

  onReadStart(nowMs: number): void {
    this.connections.onReadStart();
    this.events.onReadStart?.(nowMs);
  }

  onReadEnd(): void {
    // The engine flushes at the end of its turn, once, and takes the time of that for the time of the write.
    this.connections.onReadOver();
    this.events.onReadEnd?.();
    this.connections.onReadEnd();
  }

  toFailure(problem: Problem, answer: AnswerView): Failure {
    const { ring, head, answering } = answer;
    if (ring.ticket === CONTROL_TICKET) return problem;
    return this.failureOf(ring, problem, answering ? { head, body: () => answer.bodyText() } : undefined);
  }

  failureOf(call: DrawnCall, problem: Problem, answer: FailedAnswer | undefined): Failure {
    return this.memory.failureOf(call, this.seed, this.sessionHeaders(), problem, answer);
  }

  rulesOf({ template, slot, sequence }: DrawnCall): DrawnRules | undefined {
    const rules = this.memory.templates[template];
    return rules && { judge: rules.judge, judgesAll: rules.judgesAll, draw: { seed: this.seed, slot, sequence } };
  }

  request(body: string, id: number, done: (outcome: ControlOutcome) => void): void {
    this.controlSender.send({ verb: 'POST' }, body, {
      id,
      done: (outcome) => {
        done(outcome);
        // It may have occupied the load's room on a connection.
        this.onRoom();
      },
    });
  }

  onSessionLost(): void {
    if (this.isOpen) this.lose();
  }

  onControlAnswer(replica: number, unknown: boolean): void {
    this.events.onControlAnswer?.(replica, unknown);
  }

  sessionHeaders(): SessionHeaders {
    return { sessionId: this.sessionId, version: this.version, cookie: this.cookies?.header };
  }

  newConnection(depth: number): Connection {
    return new Connection(this, this.shared, this.loadAddress, depth, this.config);
  }

  private lose(): void {
    this.state = 'closed';
    this.stream?.end();
    this.resumed?.endAll(LOST_IN_FLIGHT);
    for (const connection of this.connections.withSide) connection.destroy(false, LOST_IN_FLIGHT);
    this.events.onClosed('lost');
  }

  private opened(outcome: OpenOutcome): void {
    if (outcome.kind === 'failed') {
      this.destroy();
      return this.events.onOpenFailed(outcome.failure);
    }
    const { initialized, startedAtMs } = outcome;
    if (initialized !== undefined) {
      this.sessionId = initialized.sessionId;
      this.version = initialized.version;
      if (this.cookies === undefined) this.heads = this.memory.headsFor(this.version, this.sessionId ?? '');
    }
    this.opening = undefined;
    this.state = 'open';
    this.events.onOpen(this.shared.now() - startedAtMs);
    // Unless the listener of that event closed it.
    if (this.isOpen && this.config.listener !== undefined) this.listen(this.config.listener);
  }

  private get isOpen(): boolean {
    return this.state === 'open';
  }

  private listen(listener: StreamListener): void {
    const { readBytesPerSecond, clientInfo, openTimeoutMs: timeoutMs = OPEN_TIMEOUT_MS } = this.config;
    this.stream = new ListeningStream(this, listener, this.shared, { readBytesPerSecond, clientInfo, timeoutMs });
    listener.onReady(this.stream);
  }

  private finish(reset: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.stopTimers();
    for (const connection of this.connections.withSide) connection.destroy(reset, CLOSED_IN_FLIGHT);
    queueMicrotask(() => this.events.onClosed('closed'));
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

  /** Forgets the timers too: a cleared timer is still an object, and there are thousands of channels. */
  private stopTimers(): void {
    this.opening?.cancel();
    this.opening = undefined;
    clearTimeout(this.closeTimer);
    this.closeTimer = undefined;
  }
}
