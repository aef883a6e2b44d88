import type net from 'node:net';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { violation } from '../../mcp/judge-message.js';
import type { Failure, Problem } from '../../measure/failure.js';
import type { Control } from '../control.js';
import type { RequestHead } from '../request-head.js';
import { RetryTimer } from '../retry.js';
import type { ProfileShared } from '../shared.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { newOutbox, type Outbox } from '../socket/outbox.js';
import { type Pace, SlowReader } from '../socket/pace.js';
import {
  type Address,
  connectProblem,
  describeError,
  lost,
  openSocket,
  resetSocket,
  type SocketOwner,
} from '../socket/socket.js';
import {
  AnswerReader,
  type AnswerSession,
  type AnswerView,
  CONTROL_TICKET,
  type SentControl,
} from './answer-reader.js';
import { TicketRing } from './ticket-ring.js';

type State = 'down' | 'queued' | 'connecting' | 'up' | 'dead';

/** Safety margin before the idle timeout that a server announced: a request sent later could cross its FIN. */
const KEEP_ALIVE_MARGIN_MS = 1000;
const CLOSED_BEFORE = 'the server closed the connection before the answer';
/**
 * A connection has been idle, and a request crosses its end, within these limits. No server keeps idle connections for
 * a shorter time, and one that closes in answer to a request must not be excused.
 */
const MIN_IDLE_MS = 100;
const MAX_CROSSING_MS = 250;
/** How long a stream may stay open after its answer before the connection is closed. */
const LINGER_MS = 1000;

/**
 * One TCP or TLS connection: requests go out in batches, answers come back in order. A server may close it while
 * nothing is in flight: the next request connects again, and its latency includes that.
 *
 * Control requests that cross the end of the connection are sent again on the next one (RFC 9112, 9.3.1): a handshake
 * must not depend on whether a server keeps its connections. Requests of the load are not, since they are measured.
 */
export class Connection implements Connecting, SocketOwner {
  readonly ring: TicketRing;
  /** Belongs to one socket; each new socket gets a new one. */
  reader: AnswerReader;

  /** When the last attempt to connect began. */
  startedAtMs = 0;
  /** How long that may have waited for us to notice that others were connected. */
  heldUpMs = 0;

  private state: State = 'down';
  private socket: net.Socket | undefined;
  private readonly outbox: Outbox;
  private lastReadMs = 0;
  /** When requests were last written. */
  private lastWriteMs = 0;
  /** `OwnShare.blindMs` when it was to connect. */
  private blindMs = 0;
  /** Something was read from this socket. */
  private hasRead = false;
  private readonly retry: RetryTimer;
  private linger: NodeJS.Timeout | undefined;
  private readonly slow: SlowReader | undefined;

  /** @param depth requests in flight at once */
  constructor(
    private readonly owner: ConnectionOwner,
    private readonly shared: ProfileShared,
    private readonly address: Address,
    private readonly depth: number,
    pace: Pace = {},
  ) {
    this.slow = SlowReader.of(pace);
    this.ring = new TicketRing(depth + 1);
    this.reader = this.newReader();
    this.outbox = newOutbox(shared, pace);
    this.retry = new RetryTimer(() => owner.onRoom());
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Requests that can be sent now; a connection that is down has room, because sending connects it. */
  get room(): number {
    return this.state === 'dead' || this.retry.isRunning || this.reader.holdsBack ? 0 : this.depth - this.ring.count;
  }

  connect(): void {
    if (this.state !== 'down') return;
    this.state = 'queued';
    this.blindMs = this.shared.own?.blindMs ?? 0;
    this.shared.connectLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.hasRead = false;
    this.startedAtMs = this.shared.now();
    this.heldUpMs = (this.shared.own?.blindMs ?? 0) - this.blindMs;
    this.socket = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this, this.shared.own);
    return true;
  }

  send(head: RequestHead, template: RequestTemplate, draw: Draw, id: number, ticket: number): void {
    this.expireIdle();
    const out = this.outbox.reserve(head.maxBytes(template));
    out.used = head.write(out.bytes, out.used, template, id, draw);
    this.ring.push(ticket, id, template.index, draw.slot, draw.sequence);
    this.shared.counters.messagesSent++;
  }

  sendControl(request: Buffer, control: Control): void {
    this.expireIdle();
    const out = this.outbox.reserve(request.length);
    out.used += request.copy(out.bytes, out.used);
    this.ring.push(CONTROL_TICKET, 0, 0, 0, 0);
    this.reader.expect({ control, request });
  }

  flush(): void {
    if (this.outbox.isEmpty || this.reader.holdsBack) return;
    if (this.state === 'down') this.connect();
    if (this.state !== 'up' || this.socket === undefined) return;
    this.lastWriteMs = this.shared.now();
    this.outbox.write(this.socket, this.address.tls !== undefined);
  }

  /** @returns whether this ticket was here */
  abandon(ticket: number): boolean {
    if (!this.ring.abandon(ticket)) return false;
    if (!this.ring.hasWaiting) {
      this.down(undefined, violation('abandoned'));
      queueMicrotask(() => this.owner.onRoom());
    }
    return true;
  }

  /** Forgets everything in flight and closes the connection; the next request connects again. */
  abandonAll(): void {
    while (this.ring.count > 0) this.ring.shift();
    this.down(undefined, violation('abandoned'));
  }

  /** Loses the connection on purpose and opens it again at once; requests in flight are answered with `problem`. */
  reconnect(problem: Problem): void {
    if (this.state !== 'up') return;
    this.down(problem, problem);
    this.connect();
  }

  /**
   * Closes the connection for good. Requests in flight are answered with `problem`, or not at all when there is none.
   * @param reset with RST instead of FIN
   */
  destroy(reset: boolean, problem?: Problem): void {
    if (this.state === 'dead') return;
    this.retry.stop();
    const { socket, state } = this;
    if (reset && state === 'up' && socket !== undefined) resetSocket(socket);
    if (problem === undefined) while (this.ring.count > 0) this.ring.shift();
    failAll(this.detach('dead'), this.owner, this.shared.now(), undefined, problem ?? violation('closed'));
  }

  onAnswer(reader: AnswerReader, nowMs: number, problem: Problem | undefined, over: boolean): void {
    const { ring, owner } = this;
    const { ticket, abandoned } = ring;
    const mayResume = problem === undefined ? ticket === CONTROL_TICKET : problem.category === 'stream_lost';
    if (mayResume && handToOwner(reader, owner)) return owner.onRoom();
    const failure = problem === undefined ? undefined : owner.toFailure(problem, reader);
    if (over) ring.shift();
    else this.awaitStreamEnd();
    if (ticket === CONTROL_TICKET) {
      reader.takeControl()?.control.done({ kind: 'answered', answer: reader.controlAnswer() });
    } else if (abandoned) {
      this.shared.counters.lateAnswers++;
      owner.onRoom();
    } else {
      owner.onOutcome(ticket, nowMs, failure, reader.replica);
    }
  }

  onStreamOver(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    this.ring.shift();
    this.flush();
    this.owner.onRoom();
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.socket) return;
    const { counters, connectLimiter } = this.shared;
    this.state = 'up';
    this.retry.succeeded();
    this.lastReadMs = this.shared.now();
    this.shared.own?.enter(this.lastReadMs);
    counters.connectionsOpened++;
    counters.connectionsActive++;
    connectLimiter.release();
    this.owner.onUp(this);
    this.flush();
    if (this.ring.count > 0 && this.owner.onLeft !== undefined) this.owner.onLeft(this);
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.socket) return false;
    const { reader, shared } = this;
    const nowMs = shared.now();
    shared.counters.bytesReceived += length;
    this.lastReadMs = nowMs;
    this.hasRead = true;
    this.owner.onReadStart(nowMs);
    const result = reader.read(this.slow?.buffer ?? shared.readBuffer, length, nowMs);
    if (!reader.stopped) {
      if (result === 'last') this.lose(undefined, lost('the server closed the connection after an earlier answer'));
      else if (result === 'broken')
        this.lose(reader.problem, lost('the connection was closed after an answer that could not be read'));
    }
    this.owner.onReadEnd();
    if (this.slow === undefined || socket !== this.socket) return true;
    this.slow.rest(socket, length);
    return false;
  }

  onSocketEnd(socket: net.Socket): void {
    if (socket !== this.socket) return;
    const { reader } = this;
    const within = !reader.parser.idle;
    const nowMs = this.shared.now();
    this.owner.onReadStart(nowMs);
    const result = reader.endOfInput(nowMs);
    if (!reader.stopped) {
      if (within && result === 'broken')
        this.lose(lost('the server closed the connection within the answer'), lost(CLOSED_BEFORE));
      else this.loseIdle(CLOSED_BEFORE, within, nowMs);
    }
    this.owner.onReadEnd();
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.socket) return;
    if (this.state !== 'up') return this.lose(connectProblem(error), connectProblem(error));
    const cause = error === undefined ? 'the connection was closed' : describeError(error);
    if (this.reader.parser.idle) this.loseIdle(`${cause}, before the answer`, false, this.shared.now());
    else this.lose(lost(`${cause}, within the answer`), lost(`${cause}, before the answer`));
  }

  /**
   * The connection ended between two answers: while nothing was in flight, or as requests were sent.
   * @param hasAnswered its end was the end of an answer
   */
  private loseIdle(detail: string, hasAnswered: boolean, nowMs: number): void {
    const { idleAge } = this.owner.memory;
    if (!this.hasRead || hasAnswered) return this.lose(undefined, lost(detail));
    const isWaiting = this.ring.count > 0;
    const idleMs = (isWaiting ? this.lastWriteMs : nowMs) - this.lastReadMs;
    const sinceMs = nowMs - this.lastWriteMs;
    const crossed = isWaiting && idleMs >= MIN_IDLE_MS && sinceMs <= Math.min(idleMs, MAX_CROSSING_MS);
    if (!isWaiting || crossed) idleAge.observe(idleMs, nowMs);
    if (!isWaiting) return this.lose(undefined, lost(detail));
    const idle = `which had been idle for ${Math.round(idleMs)} ms when the request was sent`;
    this.lose(undefined, {
      category: crossed ? 'idle_closed' : 'stream_lost',
      detail: `${detail} (the connection, ${idle}, ended ${Math.round(sinceMs)} ms later)`,
    });
  }

  private awaitStreamEnd(): void {
    this.ring.markDelivered();
    this.linger = setTimeout(() => {
      if (this.ring.hasWaitingCall || (this.ring.hasWaiting && this.outbox.isEmpty)) return;
      this.lose(undefined, lost('the stream of an earlier answer stayed open'), true);
    }, LINGER_MS);
  }

  private expireIdle(): void {
    const { keepAliveMs, idleAge } = this.owner.memory;
    if ((keepAliveMs === 0 && idleAge.limitMs === 0) || this.ring.count > 0 || this.state !== 'up') return;
    const nowMs = this.shared.now();
    const idleMs = nowMs - this.lastReadMs;
    const margin = Math.min(KEEP_ALIVE_MARGIN_MS, keepAliveMs / 2);
    if ((keepAliveMs > 0 && idleMs > keepAliveMs - margin) || idleAge.isTooOld(idleMs, nowMs)) this.detach('down');
  }

  /**
   * The connection is lost, but may be opened again.
   * @param repeats whether control requests are sent again: those that found a connection which had answered before,
   * and of whose answers no byte came
   */
  private lose(
    first: Problem | undefined,
    rest: Problem,
    repeats = (this.hasRead || this.reader.hasAnswered) && this.reader.parser.idle,
  ): void {
    this.down(first, rest, repeats);
    this.owner.onRoom();
  }

  private down(first: Problem | undefined, rest: Problem, repeats = false): void {
    const refused = this.state === 'connecting';
    const reader = this.detach('down');
    if (refused && first !== undefined) this.retry.start(this.shared.counters.messagesSent);
    const again: SentControl[] = [];
    const failure = failAll(reader, this.owner, this.shared.now(), first, rest, repeats ? again : undefined);
    this.repeat(again);
    this.owner.onDown(this, failure ?? (refused && first !== undefined ? first : undefined));
  }

  private repeat(sent: readonly SentControl[]): void {
    if (sent.length === 0 || this.state === 'dead') return;
    for (const { request, control } of sent) this.sendControl(request, control);
    this.flush();
  }

  /** Lets go of the socket. @returns its reader; a new one takes its place */
  private detach(next: 'down' | 'dead'): AnswerReader {
    const { socket, state, reader } = this;
    const { counters, connectLimiter } = this.shared;
    this.state = next;
    this.socket = undefined;
    this.outbox.drop();
    clearTimeout(this.linger);
    this.linger = undefined;
    this.slow?.stop();
    reader.stopped = true;
    this.reader = this.newReader();
    socket?.destroy();
    if (state === 'up') counters.connectionsActive--;
    if (state === 'connecting') connectLimiter.release();
    return reader;
  }

  private newReader(): AnswerReader {
    return new AnswerReader(this, this.owner, this.shared.counters, this.ring, this.shared.answerLimits);
  }
}

/** The session that a connection belongs to. */
export interface ConnectionOwner extends AnswerSession {
  onUp(connection: Connection): void;
  /**
   * It could not connect, or was lost; its tickets have been answered. Undefined: the server closed it while nothing
   * was in flight.
   */
  onDown(connection: Connection, failure: Failure | undefined): void;
  /** @param replica number of the one that answered; 0: not known, or there was no answer */
  onOutcome(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void;
  /**
   * @returns whether the owner waits for the answer on another connection; otherwise, or without this method, the call
   * has failed
   */
  onBroken?(call: BrokenCall): boolean;
  onRoom(): void;
  /** The requests on this connection, which was down when they were sent, have left now. */
  onLeft?(connection: Connection): void;
  /** All answers of one read are delivered between these two. */
  onReadStart(nowMs: number): void;
  onReadEnd(): void;
  /** Makes a failure of a problem with the oldest request in the ring. */
  toFailure(problem: Problem, answer: AnswerView): Failure;
}

/**
 * A request whose event stream ended before its answer, on a server that numbers its events: the rest can be requested
 * (2025-11-25, "Resumability and Redelivery").
 */
export interface BrokenCall {
  /** `CONTROL_TICKET`: `control` waits for it. */
  readonly ticket: number;
  readonly control: Control | undefined;
  /** Id of the JSON-RPC answer awaited. */
  readonly id: number;
  readonly template: number;
  readonly slot: number;
  readonly sequence: number;
  readonly lastEventId: string;
  /** From `retry:`; -1: never sent. */
  readonly retryMs: number;
}

/** The oldest request of the ring as a broken call; undefined: it cannot be resumed, or its client no longer waits. */
function brokenCall(ring: TicketRing, reader: AnswerReader): BrokenCall | undefined {
  const { resumeAfter: lastEventId, retryMs } = reader;
  if (lastEventId === '' || ring.abandoned) return undefined;
  const { ticket, template, slot, sequence } = ring;
  const control = ticket === CONTROL_TICKET ? reader.nextControl : undefined;
  const id = ticket === CONTROL_TICKET ? control?.id : ring.id;
  return id === undefined ? undefined : { ticket, control, id, template, slot, sequence, lastEventId, retryMs };
}

/** Offers a call whose stream broke off to the owner. @returns whether the oldest request no longer waits here */
function handToOwner(reader: AnswerReader, owner: ConnectionOwner): boolean {
  const call = owner.onBroken === undefined ? undefined : brokenCall(reader.ring, reader);
  if (call === undefined || owner.onBroken?.(call) !== true) return false;
  if (call.control !== undefined) reader.takeControl();
  reader.ring.shift();
  return true;
}

/**
 * Answers everything in flight on a closed connection, oldest first; what its owner sends meanwhile belongs to the next
 * connection.
 * @param reader the closed connection's
 * @param first the problem of the oldest request, where it differs from the rest
 * @param again receives the control requests that can be sent again, which then do not fail; undefined: none can
 * @returns the failure of the last of them
 */
function failAll(
  reader: AnswerReader,
  owner: ConnectionOwner,
  nowMs: number,
  first: Problem | undefined,
  rest: Problem,
  again?: SentControl[],
): Failure | undefined {
  const { ring } = reader;
  let failure: Failure | undefined;
  let left = ring.count;
  let problem = first ?? rest;
  if (left > 0 && first?.category === 'stream_lost' && handToOwner(reader, owner)) {
    left--;
    problem = rest;
  }
  for (; left > 0; left--, problem = rest) {
    const { ticket, abandoned } = ring;
    if (abandoned) {
      ring.shift();
      continue;
    }
    const sent = ticket === CONTROL_TICKET ? reader.takeControl() : undefined;
    if (sent !== undefined && again !== undefined && sent.control.once !== true) {
      ring.shift();
      again.push(sent);
      continue;
    }
    failure = owner.toFailure(problem, reader);
    ring.shift();
    if (ticket === CONTROL_TICKET) sent?.control.done({ kind: 'failed', failure });
    else owner.onOutcome(ticket, nowMs, failure, 0);
  }
  return failure;
}
