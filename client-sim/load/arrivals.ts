import type { ThinkTimePlan } from '../../scenarios/schema/plan.js';
import { RANDOM_STREAM, uniform } from '../mcp/draw.js';
import type { Schedule } from './schedule.js';
import { TimeHeap } from './time-heap.js';

/** Told of operations `from` to `to` (exclusive, numbered within the client). */
export type SequenceRange = (from: number, to: number) => void;

/** What one client wants to send and when. Every operation is offered exactly once, then taken or forgotten. */
export interface Arrivals {
  /** When the operation to send next is (or was) due; Infinity when none is known yet. Run time. */
  readonly nextDueMs: number;
  /** Takes that operation and returns its number. Precondition: `nextDueMs` is finite. */
  take(): number;
  /** Operation `sequence`, once taken, has ended (or will never start). */
  ended(sequence: number, nowMs: number): void;
  /** How many are due at `atMs` and not yet taken; counts them as offered where they can be known ahead. */
  account(atMs: number): number;
  /** Gives up what was due before `beforeMs` and not taken; `each` is told, after it was counted as offered. */
  forget(beforeMs: number, each: SequenceRange): void;
  /** @param running operations of this client still on the wire from an earlier activity */
  activate(nowMs: number, running: number): void;
  deactivate(): void;
}

/** Open loop: due times come from the schedule alone. Backlog needs no memory: it is the gap between two numbers. */
export class OpenArrivals implements Arrivals {
  nextDueMs: number;
  /** Next operation to take. */
  private next: number;
  /** Everything below is counted as offered. */
  private offered: number;

  /** @param fromMs arrivals due before are not this client's (slots that moved) */
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
    // The schedule does not care how the target does: that is what makes the loop open.
  }

  account(atMs: number): number {
    if (this.nextDueMs > atMs) return 0;
    const due = this.schedule.countDue(atMs);
    if (due > this.offered) this.offer(due);
    return Math.max(0, due - this.next);
  }

  forget(beforeMs: number, each: SequenceRange): void {
    if (this.nextDueMs >= beforeMs) return;
    const due = this.schedule.countBefore(beforeMs);
    if (due <= this.next) return;
    if (due > this.offered) this.offer(due);
    each(this.next, due);
    this.next = due;
    this.nextDueMs = this.schedule.dueAt(due);
  }

  activate(): void {
    // The schedule holds the client's silences already.
  }

  deactivate(): void {
    // As above; what became due while it was active still waits for room.
  }

  /** The load was adjusted. What was counted as offered stays offered: nothing is taken back. */
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
  /** Independent loops of this client (`maxInFlight`). */
  readonly loops: number;
  readonly seed: number;
  readonly slot: number;
  /** Of this client within its profile, and how many there are. */
  readonly index: number;
  readonly clients: number;
}

/** Closed loop: the next operation is due when the one before has ended and the client has thought. */
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

  account(atMs: number): number {
    return this.nextDueMs > atMs ? 0 : this.due.countUpTo(atMs);
  }

  /** A loop that waited in vain goes on at `beforeMs`: in the next stage it tries again. */
  forget(beforeMs: number, each: SequenceRange): void {
    let given = 0;
    while (this.nextDueMs < beforeMs) {
      const sequence = this.take();
      each(sequence, sequence + 1);
      given++;
    }
    for (; given > 0 && this.active; given--) this.due.push(beforeMs);
    this.nextDueMs = this.due.earliest;
  }

  /** Loops start spread over one mean think time: clients that start together do not march in step. */
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

/** A client that calls nothing. */
export class NoArrivals implements Arrivals {
  readonly nextDueMs = Infinity;

  take(): number {
    throw new RangeError('nothing is due to a client that calls nothing');
  }

  ended(): void {}

  account(): number {
    return 0;
  }

  forget(): void {}
  activate(): void {}
  deactivate(): void {}
}

/** Pause after operation `sequence` of a client, milliseconds; drawn from the seed. */
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

/** Mean pause, milliseconds: over this the first operations of clients that start together are spread. */
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

/** A client that is silent but for one operation now and then: due when somebody who knows of its session says so. */
export class IdleArrivals implements Arrivals {
  nextDueMs = Infinity;
  /** Since when it is silent, as far as its operations tell. */
  private quietSinceMs = -Infinity;
  private onTheWire = false;
  private active = false;
  private sequence = 0;

  constructor(
    private readonly idleMs: number,
    private readonly onOffered: SequenceRange,
  ) {}

  /** The session it has was opened then: the silence is counted from there, or from the last operation. */
  openSince(openedAtMs: number): void {
    this.nextDueMs = this.active && !this.onTheWire ? Math.max(openedAtMs, this.quietSinceMs) + this.idleMs : Infinity;
  }

  take(): number {
    const sequence = this.sequence++;
    this.onTheWire = true;
    this.nextDueMs = Infinity;
    this.onOffered(sequence, sequence + 1);
    return sequence;
  }

  ended(_sequence: number, nowMs: number): void {
    this.onTheWire = false;
    this.quietSinceMs = nowMs;
  }

  account(atMs: number): number {
    return this.nextDueMs > atMs ? 0 : 1;
  }

  forget(beforeMs: number, each: SequenceRange): void {
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
