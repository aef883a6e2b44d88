import type { Failure } from '../measure/failure.js';
import { renderRequest } from '../mcp/compile-request.js';
import { FIRST_ID, LAST_ID } from '../mcp/digits.js';
import type { Draw } from '../mcp/draw.js';
import type { Problem } from '../mcp/judge-message.js';
import type { RequestTemplate } from '../mcp/request-template.js';
import { CLIENT_INFO } from '../mcp/revisions.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { CookieJar } from './cookie-jar.js';
import { endpointMemory, type EndpointMemory } from './endpoint-memory.js';
import { greet } from './greet.js';
import { Connection } from './http/connection.js';
import type { ConnectionOwner } from './http/connection-owner.js';
import { CONTROL_TICKET, type AnswerReader } from './http/answer-reader.js';
import type { Control, ControlAnswer } from './http/control.js';
import type { Address } from './http/socket.js';
import { RequestHead, requestBytes, type RequestKind } from './request-head.js';
import { answerServerRequest } from './server-request.js';
import type { ListeningStream, StreamHost } from './stream/listening-stream.js';
import { sessionStream } from './stream/session-stream.js';
import { cancelledMessage } from './stream/stream-request.js';
import type { WireShared } from './shared.js';

const OPEN_TIMEOUT_MS = 30_000;
/** How long a goodbye may take before the sockets are closed without it. */
const GOODBYE_MS = 2000;
const SIDE_DEPTH = 64;

/**
 * MCP over Streamable HTTP as a `Channel`: one session with its connections.
 * @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent
 */
export function createStreamableHttp(config: ChannelConfig, events: ChannelEvents, shared: WireShared): HttpChannel {
  return new StreamableHttp(config, events, shared);
}

type Settled = Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;

export interface HttpChannel extends Channel {
  readonly memory: EndpointMemory;
  /** What every request of the session carries, as far as the handshake has settled it. */
  settled(): Settled;
  breakOff(): void;
}

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

class StreamableHttp implements HttpChannel, ConnectionOwner {
  readonly memory: EndpointMemory;
  readonly era: 'legacy' | 'modern';
  private state: State = 'new';
  private sessionId: string | undefined;
  private version: string;
  private greeted: boolean;
  private readonly connections: readonly Connection[];
  /** Serves answers to the server's own requests, which behind an open stream might wait for ever. */
  private side: Connection | undefined;
  /** What the server says by itself, where somebody listens. */
  private stream: ListeningStream | undefined;
  private cursor = 0;
  private nextId = FIRST_ID;
  private heads: (RequestHead | undefined)[];
  /** Undefined: cookies are not kept. */
  private readonly cookies: CookieJar | undefined;
  /** To draw a failed request again. */
  private seed = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Flushes asked for within a read are done at its end: one write for all that its answers set off. */
  private reading = false;
  private flushWanted = false;
  private readonly config: ChannelConfig;
  private readonly events: ChannelEvents;
  private readonly shared: WireShared;
  private readonly address: Address;

  constructor(config: ChannelConfig, events: ChannelEvents, shared: WireShared) {
    this.config = config;
    this.events = events;
    this.shared = shared;
    this.era = config.pinned.era;
    this.version = config.pinned.version;
    this.greeted = this.era === 'modern';
    this.memory = endpointMemory(config, shared);
    this.address = config.resettable === true ? { ...this.memory.address, resettable: true } : this.memory.address;
    this.cookies = config.endpoint.cookies === true ? new CookieJar() : undefined;
    // Heads that hold cookies are this channel's own.
    this.heads = this.cookies !== undefined ? [] : this.memory.heads;
    // Not by `push`, which makes room for 17.
    this.connections = Array.from({ length: config.connections }, () => this.newConnection(config.pipeline));
  }

  get hasSession(): boolean {
    return this.sessionId !== undefined;
  }

  get room(): number {
    if (this.state !== 'open') return 0;
    let room = 0;
    for (let index = 0; index < this.connections.length; index++) room += (this.connections[index] as Connection).room;
    return room;
  }

  open(): void {
    this.state = 'opening';
    this.timer = setTimeout(() => this.openTimedOut(), this.config.openTimeoutMs ?? OPEN_TIMEOUT_MS);
    for (const connection of this.connections) connection.connect();
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    const connection = this.nextWithRoom();
    const head = (this.heads[template.index] ??= this.newHead(template));
    if (this.sessionId !== undefined) head.bind(this.sessionId);
    this.memory.templates[template.index] ??= template;
    this.seed = draw.seed;
    const id = this.nextId;
    this.nextId = id === LAST_ID ? FIRST_ID : id + 1;
    connection.send(head, template, draw, id, ticket);
  }

  flush(): void {
    if (this.reading) {
      this.flushWanted = true;
      return;
    }
    for (let index = 0; index < this.connections.length; index++) (this.connections[index] as Connection).flush();
  }

  abandon(ticket: number): void {
    for (const connection of this.connections) {
      const id = connection.ring.idOf(ticket);
      if (id < 0) continue;
      connection.abandon(ticket);
      this.cancel(id);
      return;
    }
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const aborted: Problem = { category: 'aborted_by_us', detail: 'the session was closed while this request was in flight' };
    if (this.state !== 'open') return this.openFailed({ ...aborted, detail: 'the session was closed before it was open' });
    this.state = 'closing';
    this.stream?.cut(how === 'reset');
    if (how !== 'delete' || this.sessionId === undefined) return this.finish(how === 'reset', aborted);
    for (const connection of this.connections) if (connection.ring.count > 0) connection.cut(false, aborted);
    this.sayGoodbye(aborted);
  }

  breakOff(): void {
    if (this.state !== 'open') return;
    this.stream?.breakOff();
    for (const connection of this.connections) connection.breakOff({ category: 'aborted_by_us', detail: 'the connection was broken off on purpose while this request was in flight' });
  }

  destroy(): void {
    this.state = 'closed';
    this.stopTimer();
    this.stream?.cut();
    for (const connection of this.all()) connection.cut(false);
  }

  onUp(connection: Connection): void {
    if (this.state !== 'opening') return;
    if (connection === this.connections[0] && !this.greeted) this.greet(connection);
    else this.openWhenReady();
  }

  onDown(connection: Connection, failure: Failure | undefined): void {
    if (this.state !== 'opening' || connection === this.side) return;
    if (failure === undefined) connection.connect();
    else this.openFailed(failure);
  }

  onTicket(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void {
    if (failure?.category !== 'session_lost' || this.state !== 'open') return this.events.onAnswer(ticket, nowMs, failure, replica);
    this.state = 'closed';
    this.events.onAnswer(ticket, nowMs, failure, replica);
    this.lose();
  }

  private lose(): void {
    this.state = 'closed';
    this.stream?.cut();
    for (const connection of this.all()) {
      connection.cut(false, { category: 'session_lost', detail: 'the session was lost while this request was in flight' });
    }
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
    if (this.tell(answerServerRequest(request))) this.shared.counters.streams.serverRequests++;
  }

  /** To cancel, closing the connection is not enough (2025-11-25, "Cancellation"); where there are no sessions, it is. */
  private cancel(id: number): void {
    if (this.era === 'legacy' && this.sessionId !== undefined && this.state === 'open' && this.tell(cancelledMessage(id))) this.shared.counters.streams.cancelled++;
  }

  /** Says something that has no answer, beside the load. @returns false: the server takes messages slower than it causes them */
  private tell(message: string): boolean {
    this.side ??= this.newConnection(SIDE_DEPTH);
    if (this.side.room === 0) return false;
    this.control(this.side, { verb: 'POST', ...this.settled() }, message, { id: undefined, done: () => undefined });
    return true;
  }

  onReadStart(): void {
    this.reading = true;
  }

  onReadOver(): void {
    this.reading = false;
    if (!this.flushWanted) return;
    this.flushWanted = false;
    this.flush();
  }

  describe(problem: Problem, reader: AnswerReader): Failure {
    const { ring } = reader;
    const template = ring.ticket === CONTROL_TICKET ? undefined : this.memory.templates[ring.template];
    if (template === undefined) return problem;
    const { id, slot, sequence } = ring;
    return this.memory.failures.make(
      problem,
      {
        kind: { verb: 'POST', method: template.method, name: template.nameHeader, ...this.settled() },
        template: template.index,
        body: () => renderRequest(template, id, { seed: this.seed, slot, sequence }),
      },
      reader.answering ? { head: reader.parser.head, body: () => reader.bodyText() } : undefined,
    );
  }

  private greet(connection: Connection): void {
    const { pinned, clientInfo } = this.config;
    const send = (kind: RequestKind, body: string, control: Control): void => this.control(connection, kind, body, control);
    greet(send, pinned.version, clientInfo ?? CLIENT_INFO, (outcome) => {
      if (this.state !== 'opening') return;
      if (outcome.kind === 'failed') return this.openFailed(outcome.failure);
      if (outcome.kind === 'refused') return this.openFailed(this.handshakeFailure(outcome.problem, outcome.body, outcome.answer));
      this.sessionId = outcome.greeting.sessionId;
      this.version = outcome.greeting.version;
      this.greeted = true;
      if (this.cookies === undefined) this.heads = this.memory.headsFor(this.version, this.sessionId ?? '');
      this.openWhenReady();
    });
  }

  private openWhenReady(): void {
    if (!this.greeted || !this.connections.every((connection) => connection.isUp)) return;
    this.state = 'open';
    this.stopTimer();
    const startedAtMs = Math.min(...this.connections.map((connection) => connection.startedAtMs));
    this.events.onOpen(this.shared.now() - startedAtMs);
    // Unless it was closed in answer to that.
    if (this.isOpen) this.stream = sessionStream(this.streamHost(), this.config, this.shared);
  }

  private get isOpen(): boolean {
    return this.state === 'open';
  }

  private streamHost(): StreamHost {
    return {
      era: this.era, hasSession: this.hasSession, endpoint: this.config.endpoint, address: this.memory.address,
      settled: () => ({ ...this.settled(), cookie: this.cookies?.header }),
      request: (body, id, done) => {
        // On a connection of the load where one is free: most clients that subscribe need no other.
        const idle = this.connections.find((one) => one.isUp && one.ring.count === 0);
        this.control(idle ?? (this.side ??= this.newConnection(SIDE_DEPTH)), { verb: 'POST', ...this.settled() }, body, {
          id,
          done: (outcome) => {
            done(outcome);
            // It took the load's room on that connection for a while.
            this.onRoom();
          },
        });
      },
      onServerRequest: (request) => this.onServerRequest(request),
      onSessionLost: () => {
        if (this.isOpen) this.lose();
      },
    };
  }

  private openFailed(failure: Failure): void {
    this.destroy();
    this.events.onOpenFailed(failure);
  }

  private openTimedOut(): void {
    const connected = this.connections.filter((connection) => connection.isUp).length;
    const budgetMs = this.config.openTimeoutMs ?? OPEN_TIMEOUT_MS;
    if (connected < this.connections.length) {
      this.openFailed({ category: 'connect', detail: `${connected} of ${this.connections.length} connections were up after ${budgetMs} ms` });
    } else this.openFailed({ category: 'timeout', detail: `no answer to the handshake within ${budgetMs} ms` });
  }

  private handshakeFailure(problem: Problem, body: string, answer: ControlAnswer): Failure {
    const request = { kind: { verb: 'POST', ...this.settled() } as const, template: -1, body: () => body };
    return this.memory.failures.make(problem, request, { head: answer, body: () => answer.body });
  }

  private sayGoodbye(aborted: Problem): void {
    const connection = this.connections.find((one) => one.isUp && one.ring.count === 0) ?? (this.side ??= this.newConnection(SIDE_DEPTH));
    const finish = (): void => this.finish(false, aborted);
    this.timer = setTimeout(finish, GOODBYE_MS);
    // Servers may refuse to end a session (405) or have forgotten it (404): it is over for us either way.
    this.control(connection, { verb: 'DELETE', ...this.settled() }, '', { id: undefined, done: finish });
  }

  private finish(reset: boolean, aborted: Problem): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.stopTimer();
    for (const connection of this.all()) connection.cut(reset, aborted);
    queueMicrotask(() => this.events.onClosed('closed'));
  }

  private control(connection: Connection, kind: RequestKind, body: string, control: Control): void {
    if (kind.verb === 'POST') this.shared.counters.messagesSent++;
    connection.sendControl(requestBytes(this.config.endpoint, this.era, { ...kind, cookie: this.cookies?.header }, body), {
      id: control.id,
      done: (outcome) => {
        if (outcome.kind === 'answered') this.heardFrom(outcome.answer, kind.sessionId !== undefined);
        control.done(outcome);
      },
    });
    connection.flush();
  }

  /** Only what belongs to a session: asked within it, or the answer that opened it. */
  private heardFrom(answer: ControlAnswer, within: boolean): void {
    if (answer.replica > 0 && (within || answer.sessionId !== '')) this.events.onControlAnswer?.(answer.replica, within && answer.status === 404);
  }

  settled(): Settled {
    return { sessionId: this.sessionId, version: this.version, cookie: this.cookies?.header };
  }

  private nextWithRoom(): Connection {
    const { connections } = this;
    for (let tries = connections.length; tries > 0; tries--) {
      const connection = connections[this.cursor] as Connection;
      this.cursor = this.cursor + 1 === connections.length ? 0 : this.cursor + 1;
      if (connection.room > 0) return connection;
    }
    throw new RangeError('send() without room: the caller must look at room first');
  }

  private newHead(template: RequestTemplate): RequestHead {
    return new RequestHead(this.config.endpoint, { ...this.config.pinned, version: this.version }, this.sessionId, template, this.cookies?.header);
  }

  /** A cleared timer is still an object: thousands of channels need not keep theirs. */
  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private newConnection(depth: number): Connection {
    return new Connection(this, this.shared, this.address, depth, this.config);
  }

  private all(): readonly Connection[] {
    return this.side === undefined ? this.connections : [...this.connections, this.side];
  }
}
