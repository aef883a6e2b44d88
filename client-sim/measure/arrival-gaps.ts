import { type CellCounts, cellAt, DurationHistogram } from './duration-histogram.js';

/** The gaps between one operation and the next, as they were planned and as they were sent. */
export interface GapCells {
  readonly planned: CellCounts;
  readonly sent: CellCounts;
}

/** In a turn with more operations than this, a backlog is sent: their gaps are those of the plan less and less. */
const MOST_A_TURN = 4_096;

/**
 * Compares the arrivals of a thread with its plan: the gaps between operations that leave, with the gaps between the
 * moments at which they were to leave. Those are when they were due, or when there was room for them again.
 */
export class ArrivalGaps {
  private readonly planned = new DurationHistogram();
  private readonly sent = new DurationHistogram();
  /** Of this turn. */
  private readonly times = new Float64Array(MOST_A_TURN);
  private count = 0;
  private lastPlannedMs = -1;
  private lastSentMs = -1;

  /** One more operation leaves in this turn. @param plannedMs when it was to leave */
  add(plannedMs: number): void {
    if (this.count < MOST_A_TURN) this.times[this.count++] = plannedMs;
  }

  /** The operations of this turn have left, all at the same time. */
  leave(nowMs: number): void {
    const { count, times } = this;
    if (count === 0) return;
    this.count = 0;
    if (count > 1) times.subarray(0, count).sort();
    for (let at = 0; at < count; at++) {
      const plannedMs = times[at] as number;
      // The first has no gap, and a late one does not make the next one's gap longer.
      if (this.lastPlannedMs >= 0) {
        this.planned.add(cellAt(Math.max(0, plannedMs - this.lastPlannedMs)));
        this.sent.add(cellAt(nowMs - this.lastSentMs));
      }
      if (plannedMs > this.lastPlannedMs) this.lastPlannedMs = plannedMs;
      this.lastSentMs = nowMs;
    }
  }

  /** @returns everything since the last call; undefined when nothing left */
  take(): GapCells | undefined {
    if (this.sent.empty) return undefined;
    const cells: GapCells = { planned: new Map(), sent: new Map() };
    this.planned.drain((cell, count) => void cells.planned.set(cell, count));
    this.sent.drain((cell, count) => void cells.sent.set(cell, count));
    return cells;
  }
}

/** The gaps of two threads, each compared with its own part of the plan. */
export function addGaps(sum: GapCells | undefined, one: GapCells | undefined): GapCells | undefined {
  if (sum === undefined || one === undefined) return sum ?? one;
  return { planned: addCells(sum.planned, one.planned), sent: addCells(sum.sent, one.sent) };
}

function addCells(sum: CellCounts, one: CellCounts): CellCounts {
  const added = new Map(sum);
  for (const [cell, count] of one) added.set(cell, (added.get(cell) ?? 0) + count);
  return added;
}
