import type { Interval } from '../load/activity.js';
import type { Arrivals, SequenceRange } from '../load/arrivals.js';
import { cellAt } from '../measure/cells.js';
import type { Failure } from '../measure/failure.js';
import { DROPPED, LOST, OFFERED, SENT, UNSENT } from '../measure/series.js';
import { isByUs } from '../protocol/misbehaved.js';
import { ActivityCursor } from './activity-cursor.js';
import type { Backoff } from './backoff.js';
import type { Floor } from './floor.js';
import type { Lane } from './lane.js';
import { Misconduct } from './misconduct.js';
import { OperationBook } from './operation-book.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { Publisher } from './publisher.js';

/** However long a server asks for. */
const LONGEST_HOLD_MS = 30_000;

export interface ClientOptions {
  /** Dense number within the thread. */
  readonly id: number;
  /** Global slot number. */
  readonly slot: number;
  readonly profile: ProfileRuntime;
  /** One, but for per-request. */
  readonly lanes: readonly Lane[];
  readonly backoff: Backoff;
  /** @param onOffered must be told of every operation that becomes due */
  readonly arrivals: (onOffered: SequenceRange) => Arrivals;
}

/** One simulated MCP client: when it is active, what it has to send, through which of its lanes. */
export class VirtualClient {
  readonly id: number;
  readonly profile: ProfileRuntime;
  active = false;
  /** On the floor's list of clients to serve. */
  touched = false;
  /** Pool: the lane has kept room for this client. */
  hasTurn = false;
  /** Pool: waits in the lane's line. */
  inLine = false;
  inFlight = 0;
  readonly arrivals: Arrivals;
  private readonly lanes: readonly Lane[];
  private readonly backoff: Backoff;
  private readonly book: OperationBook;
  /** Undefined: it publishes nothing. */
  private readonly publisher: Publisher | undefined;
  private readonly activity = new ActivityCursor();
  /** Wants its session although it is no longer active: there is backlog. */
  private leaving = false;
  private holdUntilMs = 0;
  /** Undefined for all who behave: that is all they pay. */
  private readonly misconduct: Misconduct | undefined;
  /** Waits for an answer, for room or for a session; those touch it. */
  private blocked = false;
  private readonly isClosedLoop: boolean;

  constructor(
    private readonly floor: Floor,
    options: ClientOptions,
  ) {
    this.id = options.id;
    this.profile = options.profile;
    this.lanes = options.lanes;
    this.backoff = options.backoff;
    this.isClosedLoop = options.profile.plan.arrivals.model === 'closed';
    this.publisher = options.profile.stamped < 0 ? undefined : new Publisher(floor, options.profile, options.slot);
    this.book = new OperationBook(floor, options.profile, options.slot, this.publisher?.stamp);
    this.arrivals = options.arrivals((from, to) => this.book.count(OFFERED, from, to));
    for (const lane of options.lanes) lane.users.add(this);
    if (options.profile.misbehaves)
      this.misconduct = new Misconduct(floor, {
        slot: options.slot,
        profile: options.profile,
        lane: options.lanes[0],
        arrivals: this.arrivals,
      });
  }

  /** @param fromMs nothing happens before this run time */
  begin(intervals: readonly Interval[], fromMs: number): void {
    this.activity.begin(intervals, fromMs);
    this.sleep();
  }

  /**
   * Also when the load is adjusted: what has passed of the new intervals is skipped, what holds now is entered at the
   * next wake.
   */
  setActivity(intervals: readonly Interval[]): void {
    this.activity.replace(intervals);
    this.sleep();
  }

  /** Sends what is due and can be sent, then sleeps until there is something to do. */
  serve(): void {
    const floor = this.floor;
    this.blocked = false;
    if (floor.running) this.keepActivity(floor.dueLimitMs);
    this.misconduct?.act(this.active);
    this.sendDue();
    if (this.blocked && this.profile.rules.onDemand) this.demand();
    if (this.hasTurn) this.passTurn();
    if (this.leaving && this.arrivals.nextDueMs > floor.dueLimitMs) this.leave();
    this.sleep();
  }

  /** What was due before `beforeMs` is given up: dropped where there was a session but no room, else unsent. */
  forget(beforeMs: number, stopped: boolean): void {
    const counter = !stopped && this.lanes.some((lane) => lane.hasSession) ? DROPPED : UNSENT;
    this.arrivals.forget(beforeMs, (from, to) => this.book.count(counter, from, to));
  }

  /**
   * An answer came, or the wait for it ended. @param replica number of the one that answered, or that it was sent to;
   * 0: not known
   */
  answered(row: number, outcome: Failure | undefined, replica: number): void {
    const failure = this.misconduct === undefined ? outcome : this.misconduct.judge(row, outcome);
    const floor = this.floor;
    const tickets = floor.tickets;
    const series = tickets.series[row] as number;
    const { nowMs } = floor;
    const dueMs = tickets.due[row] as number;
    if (failure === undefined) {
      const sentMs = tickets.sent[row] as number;
      const latency = cellAt(nowMs - dueMs);
      floor.recorder.succeeded(series, latency, sentMs === dueMs ? latency : cellAt(nowMs - sentMs), replica);
    } else this.recordFailure(series, nowMs - dueMs, failure, replica);
    this.publisher?.ended(series, failure === undefined);
    this.ended(row);
  }

  /** The drain is over and this one was never answered. */
  lost(row: number): void {
    const { recorder, tickets, nowMs } = this.floor;
    const series = tickets.series[row] as number;
    const failure = this.misconduct?.judge(row, { category: 'timeout', detail: 'no answer when the run ended' });
    if (failure !== undefined && isByUs(failure.category))
      this.recordFailure(series, nowMs - (tickets.due[row] as number), failure);
    else recorder.count(series, LOST);
    this.publisher?.ended(series, false);
    this.ended(row);
  }

  /** A session was refused: what waits for it has failed with it. */
  refused(cause: Failure, replica: number): void {
    const floor = this.floor;
    const failure = this.misconduct?.refused(cause) ?? cause;
    const waiting = this.arrivals.account(floor.dueLimitMs);
    // Per request, other attempts may be under way for the rest of those that wait.
    const others = this.profile.rules.onDemand ? this.lanes.filter((lane) => lane.expected || lane.room > 0).length : 0;
    for (let index = others; index < waiting; index++) this.fail(failure, replica);
    floor.touch(this);
  }

  // ---- sending ----

  private sendDue(): void {
    const floor = this.floor;
    const arrivals = this.arrivals;
    while (arrivals.nextDueMs <= floor.dueLimitMs && this.holdUntilMs <= floor.nowMs && floor.running) {
      const startable = floor.startable;
      if (startable <= 0) return;
      const lane = this.inFlight < this.profile.maxInFlight ? this.pickLane() : undefined;
      if (lane === undefined) {
        this.blocked = true;
        return;
      }
      // Where others wait for the same session, each has one turn.
      const most = lane.users.line.contended
        ? 1
        : Math.min(lane.room, this.profile.maxInFlight - this.inFlight, startable);
      floor.soil(lane);
      floor.started(this.sendSome(lane, most));
    }
  }

  /**
   * What holds for all of them is asked once, not for each.
   * @returns how many were sent, at least one
   */
  private sendSome(lane: Lane, most: number): number {
    const { recorder, tickets, nowMs, dueLimitMs } = this.floor;
    const { arrivals, profile, id } = this;
    const book = this.book;
    const base = book.base;
    let count = 0;
    do {
      const dueMs = arrivals.nextDueMs;
      const sequence = arrivals.take();
      const operation = book.operation(sequence);
      const series = base + operation;
      const row = lane.takeRow();
      tickets.due[row] = dueMs;
      tickets.sent[row] = nowMs;
      tickets.sequence[row] = sequence;
      tickets.series[row] = series;
      tickets.client[row] = id;
      tickets.open(row, profile.index);
      this.inFlight++;
      recorder.sent(series, cellAt(nowMs - dueMs));
      this.publisher?.sending(operation, dueMs);
      lane.send(row, operation, book.draw);
      count++;
    } while (count < most && arrivals.nextDueMs <= dueLimitMs && lane.state === 'open');
    return count;
  }

  private pickLane(): Lane | undefined {
    const lanes = this.lanes;
    for (let index = 0; index < lanes.length; index++) {
      const lane = lanes[index] as Lane;
      if (lane.room === 0) continue;
      if (lane.users.line.contended && !this.hasTurn) break;
      this.hasTurn = false;
      return lane;
    }
    if (this.profile.plan.session.mode === 'pool') lanes[0]?.users.line.join(this);
    return undefined;
  }

  /** Per request: opens a session for each operation that waits and has none coming. */
  private demand(): void {
    const floor = this.floor;
    if (!floor.running || this.backoff.untilMs > floor.nowMs || this.holdUntilMs > floor.nowMs) return;
    let wanting = this.arrivals.account(floor.dueLimitMs);
    for (const lane of this.lanes) if (lane.expected || lane.room > 0) wanting--;
    for (const lane of this.lanes) {
      if (wanting <= 0) return;
      if (lane.state !== 'idle') continue;
      lane.openOnce();
      wanting--;
    }
  }

  private passTurn(): void {
    this.hasTurn = false;
    const lane = this.lanes[0];
    if (lane !== undefined && lane.room > 0) lane.users.line.grantTurn();
  }

  // ---- ending ----

  private ended(row: number): void {
    const floor = this.floor;
    const sequence = floor.tickets.sequence[row] as number;
    floor.tickets.close(row, this.profile.index);
    this.inFlight--;
    floor.inFlight--;
    this.arrivals.ended(sequence, floor.nowMs);
    // An open-loop client that does not wait for room sends at its own times: serving it with every answer would turn
    // the batches of a pump into single writes (measured at 200,000/s: three times the processor time).
    if (this.blocked || this.leaving || this.isClosedLoop) floor.touch(this);
  }

  private fail(failure: Failure, replica: number): void {
    const floor = this.floor;
    const dueMs = this.arrivals.nextDueMs;
    const sequence = this.arrivals.take();
    const series = this.book.base + this.book.operation(sequence);
    floor.recorder.count(series, SENT);
    this.recordFailure(series, floor.nowMs - dueMs, failure, replica);
    this.arrivals.ended(sequence, floor.nowMs);
  }

  private recordFailure(series: number, sinceDueMs: number, failure: Failure, replica = 0): void {
    const floor = this.floor;
    this.book.failed(series, sinceDueMs, failure, replica);
    if (failure.retryAfterMs === undefined) return;
    this.holdUntilMs = Math.max(this.holdUntilMs, floor.nowMs + Math.min(failure.retryAfterMs, LONGEST_HOLD_MS));
  }

  // ---- activity ----

  private keepActivity(nowMs: number): void {
    if (this.activity.holdsAt(nowMs)) {
      if (!this.active) this.activate(nowMs);
    } else if (this.active) this.deactivate(this.activity.endedMs);
  }

  private activate(nowMs: number): void {
    this.active = true;
    this.floor.activeClients[this.profile.index] = (this.floor.activeClients[this.profile.index] as number) + 1;
    this.arrivals.activate(nowMs, this.inFlight);
    if (this.leaving) this.leaving = false;
    else if (!this.profile.rules.onDemand) this.lanes[0]?.want();
  }

  /** @param untilMs end of its activity, noticed now: what would be due from then on is not its own */
  private deactivate(untilMs: number): void {
    this.active = false;
    this.floor.activeClients[this.profile.index] = (this.floor.activeClients[this.profile.index] as number) - 1;
    if (this.isClosedLoop) this.forget(untilMs, false);
    this.arrivals.deactivate();
    this.leaving = true;
  }

  private leave(): void {
    this.leaving = false;
    if (!this.profile.rules.onDemand) this.lanes[0]?.unwant();
  }

  private sleep(): void {
    const floor = this.floor;
    let wakeMs = this.activity.changesAt(this.active, floor.nowMs);
    if (!this.blocked) wakeMs = Math.min(wakeMs, Math.max(this.arrivals.nextDueMs, this.holdUntilMs));
    if (this.misconduct !== undefined) wakeMs = Math.min(wakeMs, this.misconduct.wakeMs);
    floor.clientWakes.set(this.id, floor.running ? wakeMs : Infinity);
  }
}
