import type { ThinkTimePlan } from '../../scenarios/schema/plan.js';
import { RANDOM_STREAM, uniform } from '../mcp/draw.js';
import type { Schedule } from './schedule.js';
import { TimeHeap } from './time-heap.js';

/** Receives operations `from` to `to` (exclusive), numbered within the client. */
export type SequenceRange = (from: number, to: number) => void;

/** The operations of one client and their due times. Each is offered exactly once, then taken or given up. */
export interface Arrivals {
  /** Run time at which the next operation is (or was) due; Infinity when none is known yet. */
  readonly nextDueMs: number;
  /** Takes that operation. Precondition: `nextDueMs` is finite. @returns its number */
  take(): number;
  /** Operation `sequence`, which was taken, has ended (or will never start). */
  ended(sequence: number, nowMs: number): void;
  /** Counts what is due at `atMs` as offered, where that is known ahead. @returns how many are due and not taken */
  offerDue(atMs: number): number;
  /** Gives up what was due before `beforeMs` and not taken. `each` receives it after it was counted as offered. */
  giveUp(beforeMs: number, each: SequenceRange): void;
  /** @param running operations of this client that are still in flight from an earlier activity */
  activate(nowMs: number, running: number): void;
  deactivate(): void;
}

/** Open loop: due times come from the schedule alone. A backlog needs no memory: it is the gap between two numbers. */
export class OpenArrivals implements Arrivals {
  nextDueMs: number;
  /** The next operation to take. */
  private next: number;
  /** All operations below this number are counted as offered. */
  private offered: number;

  /** @param fromMs arrivals due before this belong to the worker that had this slot before */
  constructor(
    private schedule: Schedule,
    fromMs: number,
    private readonly onOffered: SequenceRange,
  ) {
    this.next = schedule.countBefore(fromMs);
    this.offered = this.next;
    this.nextDueMs = schedule.dueAt(this.next);
  }

  take(): number {
    const sequence = this.next++;
    if (this.offered < this.next) this.offer(this.next);
    this.nextDueMs = this.schedule.dueAt(this.next);
    return sequence;
  }

  ended(): void {
    // The schedule does not depend on the target: that is what makes the loop open.
  }

  offerDue(atMs: number): number {
    if (this.nextDueMs > atMs) return 0;
    const due = this.schedule.countDue(atMs);
    if (due > this.offered) this.offer(due);
    return Math.max(0, due - this.next);
  }

  giveUp(beforeMs: number, each: SequenceRange): void {
    if (this.nextDueMs >= beforeMs) return;
    const due = this.schedule.countBefore(beforeMs);
    if (due <= this.next) return;
    if (due > this.offered) this.offer(due);
    each(this.next, due);
    this.next = due;
    this.nextDueMs = this.schedule.dueAt(due);
  }

  activate(): void {
    // The schedule already contains the client's inactive times.
  }

  deactivate(): void {
    // As above. What became due while the client was active still waits for room.
  }

  /** The load was adjusted. What was counted as offered stays offered. */
  reschedule(schedule: Schedule): void {
    this.schedule = schedule;
    this.nextDueMs = schedule.dueAt(this.next);
  }

  private offer(upTo: number): void {
    this.onOffered(this.offered, upTo);
    this.offered = upTo;
  }
}

interface ClosedLoop {
  readonly thinkTime: ThinkTimePlan;
  /** Independent loops of this client: `maxInFlight`. */
  readonly loops: number;
  readonly seed: number;
  readonly slot: number;
  /** Index of this client within its profile, and how many clients the profile has. */
  readonly index: number;
  readonly clients: number;
}

/** Closed loop: the next operation is due when the one before has ended and the think time is over. */
export class ClosedArrivals implements Arrivals {
  nextDueMs = Infinity;
  private readonly due: TimeHeap;
  private sequence = 0;
  private active = false;

  constructor(
    private readonly loop: ClosedLoop,
    private readonly onOffered: SequenceRange,
  ) {
    this.due = new TimeHeap(loop.loops);
  }

  take(): number {
    this.due.pop();
    this.nextDueMs = this.due.earliest;
    const sequence = this.sequence++;
    this.onOffered(sequence, sequence + 1);
    return sequence;
  }

  ended(sequence: number, nowMs: number): void {
    if (!this.active) return;
    const { thinkTime, seed, slot } = this.loop;
    this.due.push(nowMs + thinkTimeMs(thinkTime, seed, slot, sequence));
    this.nextDueMs = this.due.earliest;
  }

  offerDue(atMs: number): number {
    return this.nextDueMs > atMs ? 0 : this.due.countUpTo(atMs);
  }

  /** A loop that waited in vain continues at `beforeMs`: it tries again in the next stage. */
  giveUp(beforeMs: number, each: SequenceRange): void {
    let given = 0;
    while (this.nextDueMs < beforeMs) {
      const sequence = this.take();
      each(sequence, sequence + 1);
      given++;
    }
    for (; given > 0 && this.active; given--) this.due.push(beforeMs);
    this.nextDueMs = this.due.earliest;
  }

  /** Spreads the starts of the loops over one mean think time, so that clients that start together do not keep step. */
  activate(nowMs: number, running: number): void {
    this.active = true;
    const { loops, index, clients, thinkTime } = this.loop;
    const spread = meanThinkTimeMs(thinkTime);
    for (let loop = this.due.size + running; loop < loops; loop++) {
      this.due.push(nowMs + (spread * (index * loops + loop)) / (clients * loops));
    }
    this.nextDueMs = this.due.earliest;
  }

  deactivate(): void {
    this.active = false;
    this.due.clear();
    this.nextDueMs = Infinity;
  }
}

/** A client that sends one operation after each long silence. Its caller knows the session and calls `openSince`. */
export class IdleArrivals implements Arrivals {
  nextDueMs = Infinity;
  /** When its last operation ended. */
  private quietSinceMs = -Infinity;
  private inFlight = false;
  private active = false;
  private sequence = 0;

  constructor(
    private readonly idleMs: number,
    private readonly onOffered: SequenceRange,
  ) {}

  /** @param openedAtMs when its session was opened: the silence counts from there, or from its last operation */
  openSince(openedAtMs: number): void {
    this.nextDueMs = this.active && !this.inFlight ? Math.max(openedAtMs, this.quietSinceMs) + this.idleMs : Infinity;
  }

  take(): number {
    const sequence = this.sequence++;
    this.inFlight = true;
    this.nextDueMs = Infinity;
    this.onOffered(sequence, sequence + 1);
    return sequence;
  }

  ended(_sequence: number, nowMs: number): void {
    this.inFlight = false;
    this.quietSinceMs = nowMs;
  }

  offerDue(atMs: number): number {
    return this.nextDueMs > atMs ? 0 : 1;
  }

  giveUp(beforeMs: number, each: SequenceRange): void {
    if (this.nextDueMs >= beforeMs) return;
    const sequence = this.take();
    each(sequence, sequence + 1);
    this.ended(sequence, beforeMs);
  }

  activate(): void {
    this.active = true;
  }

  deactivate(): void {
    this.active = false;
    this.nextDueMs = Infinity;
  }
}

/** A client that sends no operations. */
export class NoArrivals implements Arrivals {
  readonly nextDueMs = Infinity;

  take(): number {
    throw new RangeError('a client that sends no operations has none to take');
  }

  ended(): void {}

  offerDue(): number {
    return 0;
  }

  giveUp(): void {}
  activate(): void {}
  deactivate(): void {}
}

/** Think time after operation `sequence` of a client, milliseconds; drawn from the seed. */
export function thinkTimeMs(plan: ThinkTimePlan, seed: number, slot: number, sequence: number): number {
  switch (plan.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return plan.ms;
    case 'uniform':
      return plan.minMs + (plan.maxMs - plan.minMs) * uniform(seed, slot, sequence, RANDOM_STREAM.thinkTime);
    case 'exponential':
      return -Math.log(uniform(seed, slot, sequence, RANDOM_STREAM.thinkTime)) * plan.meanMs;
  }
}

/** Mean think time, milliseconds. */
export function meanThinkTimeMs(plan: ThinkTimePlan): number {
  switch (plan.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return plan.ms;
    case 'uniform':
      return (plan.minMs + plan.maxMs) / 2;
    case 'exponential':
      return plan.meanMs;
  }
}
