import type net from 'node:net';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { type Problem, violation } from '../../mcp/judge-message.js';
import type { Failure } from '../../measure/failure.js';
import type { WireCounters } from '../channel.js';
import type { Control } from '../control.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { RequestHead } from '../request-head.js';
import { RetryTimer } from '../retry.js';
import type { WireShared } from '../shared.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { newOutbox, type Outbox } from '../socket/outbox.js';
import { type Pace, SlowReader } from '../socket/pace.js';
import { type Address, describeError, lost, openSocket, resetSocket, type SocketOwner } from '../socket/socket.js';
import { type AnswerOwner, AnswerReader, CONTROL_TICKET } from './answer-reader.js';
import { TicketRing } from './ticket-ring.js';

type State = 'down' | 'queued' | 'connecting' | 'up' | 'dead';

/**
 * A server that says how long it keeps idle connections is believed, less this: later our request would cross its FIN.
 */
const KEEP_ALIVE_MARGIN_MS = 1000;
/** How long a stream may stay open after its answer before the connection is given up. */
const LINGER_MS = 1000;

/**
 * One TCP or TLS connection: requests go out in batches, answers come back in order. A server that closes it while
 * nothing is in flight has done no wrong: the next request connects again (and that costs the request its time).
 */
export class Connection implements Connecting, AnswerOwner, SocketOwner {
  readonly ring: TicketRing;
  /** One socket's; a new connection starts with a new one. */
  reader: AnswerReader;

  /** When the last attempt to connect began. */
  startedAtMs = 0;

  private state: State = 'down';
  private socket: net.Socket | undefined;
  private readonly outbox: Outbox;
  private lastReadMs = 0;
  private readonly retry: RetryTimer;
  private linger: NodeJS.Timeout | undefined;
  private readonly slow: SlowReader | undefined;

  /** @param depth requests in flight at once @param pace what is undefined goes as fast as it can */
  constructor(
    private readonly owner: ConnectionOwner,
    private readonly shared: WireShared,
    private readonly address: Address,
    private readonly depth: number,
    pace: Pace = {},
  ) {
    this.slow = SlowReader.of(pace);
    this.ring = new TicketRing(depth + 1);
    this.reader = new AnswerReader(this, this.ring);
    this.outbox = newOutbox(shared, pace);
    this.retry = new RetryTimer(() => owner.onRoom());
  }

  get era(): 'legacy' | 'modern' {
    return this.owner.era;
  }
  get hasSession(): boolean {
    return this.owner.hasSession;
  }
  get memory(): EndpointMemory {
    return this.owner.memory;
  }
  get answersElsewhere(): boolean {
    return this.owner.answersElsewhere === true;
  }
  get counters(): WireCounters {
    return this.shared.counters;
  }
  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Requests that can be sent now; a connection that is down has room, for sending connects. */
  get room(): number {
    return this.state === 'dead' || this.retry.isRunning || this.reader.lingering ? 0 : this.depth - this.ring.count;
  }

  connect(): void {
    if (this.state !== 'down') return;
    this.state = 'queued';
    this.shared.connectLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.startedAtMs = this.shared.now();
    this.socket = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this);
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
    this.reader.expect(control);
  }

  flush(): void {
    if (this.outbox.isEmpty) return;
    if (this.state === 'down') this.connect();
    if (this.state === 'up' && this.socket !== undefined)
      this.outbox.write(this.socket, this.address.tls !== undefined);
  }

  /** @returns whether this ticket was here */
  abandon(ticket: number): boolean {
    if (!this.ring.abandon(ticket)) return false;
    if (!this.ring.someoneWaits) {
      this.down(undefined, violation('abandoned'));
      queueMicrotask(() => this.owner.onRoom());
    }
    return true;
  }

  /** Lets go of everything in flight; the next request connects again. */
  giveUp(): void {
    while (this.ring.count > 0) this.ring.shift();
    this.down(undefined, violation('given up'));
  }

  /** Loses the connection on purpose and makes it again at once; requests in flight are answered with `problem`. */
  breakOff(problem: Problem): void {
    if (this.state !== 'up') return;
    this.down(problem, problem);
    this.connect();
  }

  /**
   * For good. Requests in flight are answered with `problem`, or not at all when there is none.
   * @param reset with RST instead of FIN
   */
  cut(reset: boolean, problem?: Problem): void {
    if (this.state === 'dead') return;
    this.retry.stop();
    const { socket, state } = this;
    if (reset && state === 'up' && socket !== undefined) resetSocket(socket);
    if (problem === undefined) while (this.ring.count > 0) this.ring.shift();
    failAll(this.disconnect('dead'), this.owner, this.shared.now(), undefined, problem ?? violation('cut'));
  }

  onAnswer(reader: AnswerReader, nowMs: number, problem: Problem | undefined, over: boolean): void {
    const { ring, owner } = this;
    const { ticket, abandoned } = ring;
    if (
      problem === undefined
        ? ticket === CONTROL_TICKET && handOver(reader, owner)
        : problem.category === 'stream_lost' && handOver(reader, owner)
    )
      return owner.onRoom();
    const failure = problem === undefined ? undefined : owner.describe(problem, reader);
    if (over) ring.shift();
    else this.awaitStreamEnd();
    if (ticket === CONTROL_TICKET) {
      reader.takeControl()?.done({ kind: 'answered', answer: reader.controlAnswer() });
    } else if (abandoned) {
      this.shared.counters.lateAnswers++;
      owner.onRoom();
    } else {
      owner.onTicket(ticket, nowMs, failure, reader.replica);
    }
  }

  onStreamOver(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    this.ring.shift();
    this.owner.onRoom();
  }

  onSetCookie(setCookie: string): void {
    this.owner.onSetCookie(setCookie);
  }

  onServerRequest(request: Record<string, unknown>): void {
    this.owner.onServerRequest(request);
  }

  private awaitStreamEnd(): void {
    this.ring.markDelivered();
    this.linger = setTimeout(() => {
      if (this.ring.someoneWaits) return;
      this.lose(undefined, violation('lingering'));
    }, LINGER_MS);
  }

  private expireIdle(): void {
    const { keepAliveMs } = this.memory;
    if (keepAliveMs === 0 || this.ring.count > 0 || this.state !== 'up') return;
    const margin = Math.min(KEEP_ALIVE_MARGIN_MS, keepAliveMs / 2);
    if (this.shared.now() - this.lastReadMs > keepAliveMs - margin) this.disconnect('down');
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.socket) return;
    const { counters, connectLimiter } = this.shared;
    this.state = 'up';
    this.retry.succeeded();
    this.lastReadMs = this.shared.now();
    counters.connectionsOpened++;
    counters.connectionsActive++;
    connectLimiter.release();
    this.owner.onUp(this);
    this.flush();
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.socket) return false;
    const { reader, shared } = this;
    const nowMs = shared.now();
    shared.counters.bytesReceived += length;
    this.lastReadMs = nowMs;
    this.owner.onReadStart(nowMs);
    const result = reader.read(this.slow?.buffer ?? shared.readBuffer, length, nowMs);
    if (!reader.cut) {
      if (result === 'last') this.lose(undefined, lost('the server closed the connection after an earlier answer'));
      else if (result === 'broken')
        this.lose(
          violation(reader.problem),
          lost('the connection was given up after an answer that could not be read'),
        );
    }
    this.owner.onReadOver();
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
    if (!reader.cut) {
      const end = lost(
        within && result === 'broken'
          ? 'the server closed the connection within the answer'
          : 'the server closed the connection before the answer',
      );
      this.lose(end, lost('the server closed the connection before the answer'));
    }
    this.owner.onReadOver();
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.socket) return;
    const cause = error === undefined ? 'the connection was closed' : describeError(error);
    if (this.state !== 'up')
      return this.lose({ category: 'connect', detail: cause }, { category: 'connect', detail: cause });
    this.lose(
      lost(`${cause}, ${this.reader.parser.idle ? 'before' : 'within'} the answer`),
      lost(`${cause}, before the answer`),
    );
  }

  /** The connection is lost, but may come back. */
  private lose(first: Problem | undefined, rest: Problem): void {
    const wasBusy = this.ring.count > 0;
    this.down(first, rest);
    if (wasBusy) this.owner.onRoom();
  }

  private down(first: Problem | undefined, rest: Problem): void {
    const refused = this.state === 'connecting';
    const reader = this.disconnect('down');
    if (refused && first !== undefined) this.retry.start(this.shared.counters.messagesSent);
    const failure = failAll(reader, this.owner, this.shared.now(), first, rest);
    this.owner.onDown(this, failure ?? (refused && first !== undefined ? first : undefined));
  }

  /** @returns the reader of the connection that was; a new one takes its place */
  private disconnect(next: 'down' | 'dead'): AnswerReader {
    const { socket, state, reader } = this;
    const { counters, connectLimiter } = this.shared;
    this.state = next;
    this.socket = undefined;
    this.outbox.drop();
    clearTimeout(this.linger);
    this.linger = undefined;
    this.slow?.stop();
    reader.cut = true;
    this.reader = new AnswerReader(this, this.ring);
    socket?.destroy();
    if (state === 'up') counters.connectionsActive--;
    if (state === 'connecting') connectLimiter.release();
    return reader;
  }
}

/**
 * A request whose event stream is over before its answer, on a server that numbers its events: the rest can be asked
 * for (2025-11-25, "Resumability and Redelivery").
 */
export interface BrokenCall {
  /** `CONTROL_TICKET`: it is `control` that waits. */
  readonly ticket: number;
  readonly control: Control | undefined;
  /** Of the JSON-RPC answer awaited. */
  readonly id: number;
  readonly template: number;
  readonly slot: number;
  readonly sequence: number;
  readonly lastEventId: string;
  /** From `retry:`; -1: never said. */
  readonly retryMs: number;
}

/** The oldest request of the ring as a broken call; undefined: nothing to take up again, or nobody who waits for it. */
function brokenCall(ring: TicketRing, reader: AnswerReader): BrokenCall | undefined {
  const { brokenAt: lastEventId, retryMs } = reader;
  if (lastEventId === '' || ring.abandoned) return undefined;
  const { ticket, template, slot, sequence } = ring;
  const control = ticket === CONTROL_TICKET ? reader.nextControl : undefined;
  const id = ticket === CONTROL_TICKET ? control?.id : ring.id;
  return id === undefined ? undefined : { ticket, control, id, template, slot, sequence, lastEventId, retryMs };
}

/**
 * What broke off short of its answer may be got by another way. @returns whether the oldest request waits here no
 * longer
 */
function handOver(reader: AnswerReader, owner: ConnectionOwner): boolean {
  const call = owner.onBroken === undefined ? undefined : brokenCall(reader.ring, reader);
  if (call === undefined || owner.onBroken?.(call) !== true) return false;
  if (call.control !== undefined) reader.takeControl();
  reader.ring.shift();
  return true;
}

/** What a connection tells the session it belongs to. */
export interface ConnectionOwner {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  readonly memory: EndpointMemory;
  /** HTTP answers only say that a message was taken (202); what the server has to say comes by another way. */
  readonly answersElsewhere?: boolean;
  onUp(connection: Connection): void;
  /**
   * It could not connect, or was lost; its tickets have been answered. Undefined: the server closed it while nothing
   * was in flight.
   */
  onDown(connection: Connection, failure: Failure | undefined): void;
  /** @param replica number of the one that answered; 0: not known, or there was no answer */
  onTicket(ticket: number, nowMs: number, failure: Failure | undefined, replica: number): void;
  /**
   * @returns whether the owner goes on waiting for the answer by another way; else, or without this method, the call
   * has failed
   */
  onBroken?(call: BrokenCall): boolean;
  onSetCookie(setCookie: string): void;
  onRoom(): void;
  onServerRequest(request: Record<string, unknown>): void;
  /** Between these two, all answers of one read are given out. */
  onReadStart(nowMs: number): void;
  onReadOver(): void;
  /** Makes a failure of a problem with the oldest request in the ring. */
  describe(problem: Problem, reader: AnswerReader): Failure;
}

/**
 * Answers everything in flight on a connection that is no more, oldest first; what its owner sends meanwhile belongs to
 * the next connection.
 * @param reader of the connection that was @param first of the oldest, where it differs from the rest
 * @returns what the last of them was told
 */
function failAll(
  reader: AnswerReader,
  owner: ConnectionOwner,
  nowMs: number,
  first: Problem | undefined,
  rest: Problem,
): Failure | undefined {
  const { ring } = reader;
  let failure: Failure | undefined;
  let left = ring.count;
  let problem = first ?? rest;
  if (left > 0 && first?.category === 'stream_lost' && handOver(reader, owner)) {
    left--;
    problem = rest;
  }
  for (; left > 0; left--, problem = rest) {
    const { ticket, abandoned } = ring;
    if (!abandoned) failure = owner.describe(problem, reader);
    ring.shift();
    if (abandoned || failure === undefined) continue;
    if (ticket === CONTROL_TICKET) reader.takeControl()?.done({ kind: 'failed', failure });
    else owner.onTicket(ticket, nowMs, failure, 0);
  }
  return failure;
}
