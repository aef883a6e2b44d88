import type { OwnShare } from '../measure/health/own-share.js';

/** Arrivals are compared with the plan by the tenths of a second in which they fall. */
const ARRIVAL_SLOT_MS = 100;

/**
 * Operations in flight, one row each, in typed arrays: no object per request. A session slot reserves a block of rows,
 * and a channel's ticket is the row's index within that block. Rows of one profile are also linked in order of sending:
 * all have the same timeout, so only the oldest must be checked, and no request needs a timer.
 */
export class TicketTable {
  due = new Float64Array(0);
  sent = new Float64Array(0);
  /** When the kernel had it; -1 before. */
  written = new Float64Array(0);
  /** How long after it was due it would have waited for room without us: the target's doing. */
  waited = new Float64Array(0);
  /** Number of the operation within its client. */
  sequence = new Float64Array(0);
  /** -1 where the row is free. */
  series = new Int32Array(0);
  client = new Int32Array(0);
  sessionSlot = new Int32Array(0);
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private readonly _oldest: Int32Array;
  private readonly newest: Int32Array;
  private _rows = 0;
  private unwritten = false;

  /** @param paced by profile: whether a schedule plans when its operations leave */
  constructor(
    profiles: number,
    private readonly paced: readonly boolean[] = [],
  ) {
    this._oldest = new Int32Array(profiles).fill(-1);
    this.newest = new Int32Array(profiles).fill(-1);
  }

  get rows(): number {
    return this._rows;
  }

  /** Rows were opened since the last `markWritten`. */
  get hasUnwritten(): boolean {
    return this.unwritten;
  }

  /** @returns the first of `count` new rows */
  reserve(count: number): number {
    const base = this._rows;
    this._rows += count;
    if (this._rows > this.due.length) this.grow(Math.max(256, this._rows, this.due.length * 2));
    return base;
  }

  open(row: number, profile: number): void {
    this.written[row] = -1;
    this.unwritten = true;
    const newest = this.newest[profile] as number;
    this.previous[row] = newest;
    this.next[row] = -1;
    if (newest < 0) this._oldest[profile] = row;
    else this.next[newest] = row;
    this.newest[profile] = row;
  }

  /** The kernel has all that were opened. They are the newest of their profiles. */
  markWritten(nowMs: number, own: OwnShare): void {
    this.unwritten = false;
    const { written, waited, due, previous, newest, paced } = this;
    const { gaps } = own;
    const slot = Math.floor(nowMs / ARRIVAL_SLOT_MS);
    let count = 0;
    let sumMs = 0;
    let maxMs = 0;
    let moved = 0;
    for (let profile = 0; profile < newest.length; profile++) {
      const isPaced = paced[profile] === true;
      let row = newest[profile] as number;
      for (; row >= 0 && (written[row] as number) < 0; row = previous[row] as number) {
        written[row] = nowMs;
        const waitedMs = waited[row] as number;
        const plannedMs = (due[row] as number) + waitedMs;
        const outMs = nowMs - plannedMs;
        count++;
        sumMs += outMs;
        if (outMs > maxMs) maxMs = outMs;
        if (!isPaced) continue;
        gaps.add(plannedMs);
        // What waits for room without us, too, leaves when the target lets it, and not by the plan.
        if (waitedMs === 0 && Math.floor(plannedMs / ARRIVAL_SLOT_MS) !== slot) moved++;
      }
    }
    gaps.leave(nowMs);
    own.addOut(count, sumMs, maxMs, moved);
  }

  /**
   * It was written for a connection that had to be made first, and leaves only now.
   * @param upMs without us, the connection would have been up no earlier than this
   */
  markLeft(row: number, upMs: number, nowMs: number): void {
    const writtenMs = this.written[row] as number;
    if (writtenMs >= 0 && upMs > writtenMs) this.waited[row] = (this.waited[row] as number) + upMs - writtenMs;
    this.written[row] = nowMs;
  }

  close(row: number, profile: number): void {
    const previous = this.previous[row] as number;
    const next = this.next[row] as number;
    if (previous < 0) this._oldest[profile] = next;
    else this.next[previous] = next;
    if (next < 0) this.newest[profile] = previous;
    else this.previous[next] = previous;
    this.series[row] = -1;
  }

  /** The row of this profile that was sent first and is still open, or -1. */
  oldest(profile: number): number {
    return this._oldest[profile] as number;
  }

  private grow(length: number): void {
    this.due = grown(this.due, new Float64Array(length));
    this.sent = grown(this.sent, new Float64Array(length));
    this.written = grown(this.written, new Float64Array(length));
    this.waited = grown(this.waited, new Float64Array(length));
    this.sequence = grown(this.sequence, new Float64Array(length));
    this.series = grown(this.series, new Int32Array(length).fill(-1));
    this.client = grown(this.client, new Int32Array(length));
    this.sessionSlot = grown(this.sessionSlot, new Int32Array(length));
    this.next = grown(this.next, new Int32Array(length));
    this.previous = grown(this.previous, new Int32Array(length));
  }
}

function grown<A extends Float64Array | Int32Array>(from: A, into: A): A {
  into.set(from);
  return into;
}

/** The rows of the ticket table that belong to one session slot. Its channel knows them as tickets, counted from 0. */
export class TicketBlock {
  private readonly base: number;
  private readonly free: Int32Array;
  private _left: number;

  constructor(
    private readonly table: TicketTable,
    private readonly sessionSlot: number,
    capacity: number,
  ) {
    this.base = table.reserve(capacity);
    this.free = Int32Array.from({ length: capacity }, (_, index) => this.base + capacity - 1 - index);
    this._left = capacity;
  }

  get left(): number {
    return this._left;
  }

  get inFlight(): number {
    return this.free.length - this._left;
  }

  /** @returns a free row. Precondition: one is left */
  take(): number {
    const row = this.free[--this._left] as number;
    this.table.sessionSlot[row] = this.sessionSlot;
    return row;
  }

  release(row: number): void {
    this.free[this._left++] = row;
  }

  ticketOf(row: number): number {
    return row - this.base;
  }

  /** @throws Error when the ticket is not in flight: the answer would be counted for another operation */
  rowOf(ticket: number): number {
    const row = this.base + ticket;
    if (ticket >= this.free.length || (this.table.series[row] as number) < 0)
      throw new Error(`channel answered ticket ${ticket}, which is not in flight`);
    return row;
  }
}
