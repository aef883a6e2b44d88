import { ActivityCursor, type Interval } from '../load/activity.js';
import type { Arrivals, SequenceRange } from '../load/arrivals.js';
import { cellAt } from '../measure/duration-histogram.js';
import type { Failure } from '../measure/failure.js';
import { DROPPED, LOST, OFFERED, SENT, UNSENT } from '../measure/series.js';
import { isByUs } from '../protocol/misbehaviour-key.js';
import { ClientMisbehaviour } from './client-misbehaviour.js';
import { OperationCounters } from './operation-counters.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { Publisher } from './publisher.js';
import type { Scheduler } from './scheduler.js';
import type { SessionBackoff } from './session-backoff.js';
import type { SessionSlot } from './session-slot.js';
import type { SlotClient } from './slot-clients.js';

/** A client waits no longer than this after `Retry-After`, however long the server asks for. */
const MAX_HOLD_MS = 30_000;

interface ClientOptions {
  /** Dense number within the thread. */
  readonly id: number;
  /** Global slot number. */
  readonly slot: number;
  readonly profile: ProfileRuntime;
  /** Exactly one, except in mode `per-request`. */
  readonly sessionSlots: readonly SessionSlot[];
  readonly backoff: SessionBackoff;
  /** @param onOffered must be called with every operation that becomes due */
  readonly arrivals: (onOffered: SequenceRange) => Arrivals;
}

/** One simulated MCP client: when it is active, what it has to send, and through which of its session slots. */
export class VirtualClient implements SlotClient {
  readonly id: number;
  readonly profile: ProfileRuntime;
  active = false;
  runnable = false;
  roomGranted = false;
  inQueue = false;
  inFlight = 0;
  readonly arrivals: Arrivals;
  private readonly sessionSlots: readonly SessionSlot[];
  private readonly backoff: SessionBackoff;
  private readonly counters: OperationCounters;
  /** Undefined: it publishes nothing. */
  private readonly publisher: Publisher | undefined;
  private readonly activity = new ActivityCursor();
  /** It is no longer active, but keeps its session until its backlog is sent. */
  private finishing = false;
  /** It has asked for its session before it is active. */
  private openedFirst = false;
  private holdUntilMs = 0;
  /** Until then it could not have sent without us either, for want of room or of a session. */
  private roomMs = 0;
  /** Undefined for clients that behave, which pay for one comparison only. */
  private readonly misbehaviour: ClientMisbehaviour | undefined;
  /** It waits for an answer, for room or for a session; when that comes, it becomes runnable. */
  private blocked = false;
  private readonly isClosedLoop: boolean;

  constructor(
    private readonly scheduler: Scheduler,
    options: ClientOptions,
  ) {
    this.id = options.id;
    this.profile = options.profile;
    this.sessionSlots = options.sessionSlots;
    this.backoff = options.backoff;
    this.isClosedLoop = options.profile.plan.arrivals.model === 'closed';
    this.publisher = options.profile.stamped < 0 ? undefined : new Publisher(scheduler, options.profile, options.slot);
    this.counters = new OperationCounters(scheduler, options.profile, options.slot, this.publisher?.stamp);
    this.arrivals = options.arrivals((from, to) => this.counters.count(OFFERED, from, to));
    for (const sessionSlot of options.sessionSlots) sessionSlot.clients.add(this);
    if (options.profile.misbehaves)
      this.misbehaviour = new ClientMisbehaviour(scheduler, {
        slot: options.slot,
        profile: options.profile,
        sessionSlot: options.sessionSlots[0],
        arrivals: this.arrivals,
      });
  }

  /** @param fromMs nothing happens before this run time */
  begin(intervals: readonly Interval[], fromMs: number): void {
    this.activity.begin(intervals, fromMs);
    this.scheduleWake();
  }

  /**
   * The load was adjusted. Those of the new intervals that are over are skipped; one that holds now takes effect at the
   * next wake.
   */
  setActivity(intervals: readonly Interval[]): void {
    this.activity.replace(intervals);
    this.scheduleWake();
  }

  /** Opens the session before the run starts, if the client becomes active before `untilMs`. */
  openFirst(untilMs: number): void {
    if (this.profile.rules.onDemand || this.activity.changesAt(false, 0) >= untilMs) return;
    this.openedFirst = true;
    this.sessionSlots[0]?.acquire();
  }

  /** Sends what is due and can be sent, then sleeps until there is something to do. */
  serve(): void {
    const scheduler = this.scheduler;
    if (this.blocked && scheduler.roomLateMs >= 0) {
      // What came to make room was readable after `sinceMs`, so there was none before.
      const roomMs = scheduler.sinceMs - scheduler.roomLateMs;
      if (roomMs > this.roomMs) this.roomMs = roomMs;
    }
    this.blocked = false;
    if (scheduler.running) this.updateActivity(scheduler.dueLimitMs);
    this.misbehaviour?.onServe(this.active);
    this.sendDue();
    if (this.blocked && this.profile.rules.onDemand) this.openOnDemand();
    if (this.roomGranted) this.passRoomOn();
    if (this.finishing && this.arrivals.nextDueMs > scheduler.dueLimitMs) this.releaseSession();
    this.scheduleWake();
  }

  /** Gives up what was due before `beforeMs`: it is dropped if there was a session but no room, else unsent. */
  giveUp(beforeMs: number, stopped: boolean): void {
    const counter = !stopped && this.sessionSlots.some((sessionSlot) => sessionSlot.hasSession) ? DROPPED : UNSENT;
    this.arrivals.giveUp(beforeMs, (from, to) => this.counters.count(counter, from, to));
  }

  /**
   * The answer came, or the wait for it ended.
   * @param replica number of the replica that answered, or to which the operation was sent; 0: not known
   */
  answered(row: number, outcome: Failure | undefined, replica: number): void {
    const failure = this.misbehaviour === undefined ? outcome : this.misbehaviour.judge(row, outcome);
    const scheduler = this.scheduler;
    const tickets = scheduler.tickets;
    const series = tickets.series[row] as number;
    const { nowMs, sinceMs } = scheduler;
    const dueMs = tickets.due[row] as number;
    const writtenMs = tickets.written[row] as number;
    const waitedMs = tickets.waited[row] as number;
    // It left so late by our own doing, and so late comes the room that it leaves.
    const lateMs = writtenMs - dueMs - waitedMs;
    if (lateMs > scheduler.roomLateMs) scheduler.roomLateMs = lateMs;
    if (failure === undefined) {
      const sentMs = tickets.sent[row] as number;
      const latency = cellAt(nowMs - dueMs);
      const service = sentMs === dueMs ? latency : cellAt(nowMs - sentMs);
      scheduler.recorder.recordSucceeded(series, latency, service, replica);
      if (this.profile.ownShareKnown) {
        const readableMs = Math.max(0, sinceMs - writtenMs);
        const floor = cellAt(Math.min(readableMs + waitedMs, nowMs - dueMs));
        if (waitedMs === 0) scheduler.recorder.recordFloor(series, floor, replica);
        else {
          const service = cellAt(Math.min(readableMs, nowMs - sentMs));
          scheduler.recorder.recordFloors(series, floor, service, replica);
        }
        scheduler.answers++;
      }
      if (scheduler.outcomes !== undefined) scheduler.outcomes.add(series, '', dueMs, nowMs - dueMs);
    } else this.recordFailure(series, nowMs - dueMs, failure, replica);
    this.publisher?.ended(series, failure === undefined);
    this.ended(row);
  }

  /** The drain is over and this operation was never answered. */
  lost(row: number): void {
    const { recorder, tickets, nowMs } = this.scheduler;
    const series = tickets.series[row] as number;
    const failure = this.misbehaviour?.judge(row, { category: 'timeout', detail: 'no answer when the run ended' });
    if (failure !== undefined && isByUs(failure.category))
      this.recordFailure(series, nowMs - (tickets.due[row] as number), failure);
    else {
      recorder.count(series, LOST);
      const dueMs = tickets.due[row] as number;
      this.scheduler.outcomes?.add(series, 'lost', dueMs, nowMs - dueMs);
    }
    this.publisher?.ended(series, false);
    this.ended(row);
  }

  /** A session was refused: the operations that wait for it have failed with it. */
  refused(cause: Failure, replica: number): void {
    const scheduler = this.scheduler;
    const failure = this.misbehaviour?.refused(cause) ?? cause;
    const waiting = this.arrivals.offerDue(scheduler.dueLimitMs);
    // In mode `per-request`, other attempts may be in progress for the rest of them.
    const others = this.profile.rules.onDemand
      ? this.sessionSlots.filter((sessionSlot) => sessionSlot.isPending || sessionSlot.room > 0).length
      : 0;
    for (let index = others; index < waiting; index++) this.fail(failure, replica);
    scheduler.markRunnable(this);
  }

  // ---- sending ----

  private sendDue(): void {
    const scheduler = this.scheduler;
    const arrivals = this.arrivals;
    while (arrivals.nextDueMs <= scheduler.dueLimitMs && this.holdUntilMs <= scheduler.nowMs && scheduler.running) {
      const startable = scheduler.startable;
      if (startable <= 0) return;
      const sessionSlot = this.inFlight < this.profile.maxInFlight ? this.pickSessionSlot() : undefined;
      if (sessionSlot === undefined) {
        this.blocked = true;
        return;
      }
      // Where other clients wait for the same session, each sends one operation at a time.
      const most = sessionSlot.clients.contended
        ? 1
        : Math.min(sessionSlot.room, this.profile.maxInFlight - this.inFlight, startable);
      scheduler.markDirty(sessionSlot);
      scheduler.started(this.sendBatch(sessionSlot, most));
    }
  }

  /**
   * Sends up to `most` operations that are due. What is the same for all of them is looked up once.
   * @returns how many were sent, at least one
   */
  private sendBatch(sessionSlot: SessionSlot, most: number): number {
    const { recorder, tickets, nowMs, dueLimitMs, limitedMs } = this.scheduler;
    const { arrivals, profile, id } = this;
    const counters = this.counters;
    const base = counters.base;
    const roomMs = Math.max(this.roomMs, limitedMs);
    let count = 0;
    do {
      const dueMs = arrivals.nextDueMs;
      const sequence = arrivals.take();
      const operation = counters.operation(sequence);
      const series = base + operation;
      const row = sessionSlot.takeRow();
      tickets.due[row] = dueMs;
      tickets.sent[row] = nowMs;
      tickets.sequence[row] = sequence;
      tickets.series[row] = series;
      tickets.client[row] = id;
      tickets.waited[row] = roomMs > dueMs ? roomMs - dueMs : 0;
      tickets.open(row, profile.index);
      this.inFlight++;
      recorder.recordSent(series, cellAt(nowMs - dueMs));
      this.publisher?.sending(operation, dueMs);
      sessionSlot.send(row, operation, counters.draw);
      count++;
    } while (count < most && arrivals.nextDueMs <= dueLimitMs && sessionSlot.state === 'open');
    return count;
  }

  private pickSessionSlot(): SessionSlot | undefined {
    const sessionSlots = this.sessionSlots;
    for (let index = 0; index < sessionSlots.length; index++) {
      const sessionSlot = sessionSlots[index] as SessionSlot;
      if (sessionSlot.room === 0) continue;
      if (sessionSlot.clients.contended && !this.roomGranted) break;
      this.roomGranted = false;
      return sessionSlot;
    }
    if (this.profile.plan.session.mode === 'pool') sessionSlots[0]?.clients.joinQueue(this);
    return undefined;
  }

  /** Mode `per-request`: opens a session for each operation that waits and has none on its way. */
  private openOnDemand(): void {
    const scheduler = this.scheduler;
    if (!scheduler.running || this.backoff.untilMs > scheduler.nowMs || this.holdUntilMs > scheduler.nowMs) return;
    let missing = this.arrivals.offerDue(scheduler.dueLimitMs);
    for (const sessionSlot of this.sessionSlots) if (sessionSlot.isPending || sessionSlot.room > 0) missing--;
    for (const sessionSlot of this.sessionSlots) {
      if (missing <= 0) return;
      if (sessionSlot.state !== 'idle') continue;
      sessionSlot.openOnce();
      missing--;
    }
  }

  private passRoomOn(): void {
    this.roomGranted = false;
    const sessionSlot = this.sessionSlots[0];
    if (sessionSlot !== undefined && sessionSlot.room > 0) sessionSlot.clients.grantNext();
  }

  // ---- ending ----

  private ended(row: number): void {
    const scheduler = this.scheduler;
    const sequence = scheduler.tickets.sequence[row] as number;
    scheduler.tickets.close(row, this.profile.index);
    this.inFlight--;
    scheduler.inFlight--;
    this.arrivals.ended(sequence, scheduler.nowMs);
    // An open-loop client that does not wait for room sends at its own times: serving it with every answer would turn
    // the batches of a pump into single writes (measured at 200,000/s: three times the processor time).
    if (this.blocked || this.finishing || this.isClosedLoop) scheduler.markRunnable(this);
  }

  private fail(failure: Failure, replica: number): void {
    const scheduler = this.scheduler;
    const dueMs = this.arrivals.nextDueMs;
    const sequence = this.arrivals.take();
    const series = this.counters.base + this.counters.operation(sequence);
    scheduler.recorder.count(series, SENT);
    this.recordFailure(series, scheduler.nowMs - dueMs, failure, replica);
    this.arrivals.ended(sequence, scheduler.nowMs);
  }

  private recordFailure(series: number, sinceDueMs: number, failure: Failure, replica = 0): void {
    const scheduler = this.scheduler;
    this.counters.failed(series, sinceDueMs, failure, replica);
    scheduler.outcomes?.add(series, failure.category, scheduler.nowMs - sinceDueMs, sinceDueMs);
    if (failure.retryAfterMs === undefined) return;
    const holdMs = Math.min(failure.retryAfterMs, MAX_HOLD_MS);
    this.holdUntilMs = Math.max(this.holdUntilMs, scheduler.nowMs + holdMs);
    this.roomMs = Math.max(this.roomMs, scheduler.sinceMs - Math.max(0, scheduler.roomLateMs) + holdMs);
  }

  // ---- activity ----

  private updateActivity(nowMs: number): void {
    if (this.activity.holdsAt(nowMs)) {
      if (!this.active) this.activate(nowMs);
    } else if (this.active) this.deactivate(this.activity.endedMs);
  }

  private activate(nowMs: number): void {
    this.active = true;
    this.scheduler.activeClients[this.profile.index] = (this.scheduler.activeClients[this.profile.index] as number) + 1;
    this.arrivals.activate(nowMs, this.inFlight);
    if (this.finishing || this.openedFirst) {
      this.finishing = false;
      this.openedFirst = false;
    } else if (!this.profile.rules.onDemand) this.sessionSlots[0]?.acquire();
  }

  /** @param untilMs when the activity ended, which is noticed only now: what would be due after that does not count */
  private deactivate(untilMs: number): void {
    this.active = false;
    this.scheduler.activeClients[this.profile.index] = (this.scheduler.activeClients[this.profile.index] as number) - 1;
    if (this.isClosedLoop) this.giveUp(untilMs, false);
    this.arrivals.deactivate();
    this.finishing = true;
  }

  private releaseSession(): void {
    this.finishing = false;
    if (!this.profile.rules.onDemand) this.sessionSlots[0]?.release();
  }

  private scheduleWake(): void {
    const scheduler = this.scheduler;
    let wakeMs = this.activity.changesAt(this.active, scheduler.nowMs);
    if (!this.blocked) wakeMs = Math.min(wakeMs, Math.max(this.arrivals.nextDueMs, this.holdUntilMs));
    if (this.misbehaviour !== undefined) wakeMs = Math.min(wakeMs, this.misbehaviour.wakeMs);
    scheduler.clientWakes.set(this.id, scheduler.running ? wakeMs : Infinity);
  }
}
