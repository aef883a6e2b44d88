import { cellLowest, cellOf, cellWidth, HISTOGRAM_BOUNDS, HISTOGRAM_CELLS } from '../protocol/histogram-codec.js';

/** Counts by cell of an HdrHistogram. */
export type CellCounts = Map<number, number>;

/**
 * Milliseconds to the integer microseconds that are recorded. Values are checked here for all histograms: one that is
 * not finite or negative (a clock that ran backwards) counts as 0, more than an hour as an hour.
 */
export function recordable(ms: number): number {
  const us = Math.round(ms * 1000);
  if (!(us > 0)) return 0;
  return Math.min(us, HISTOGRAM_BOUNDS.highestTrackableValue);
}

const SMALL_US = 0x3fffffff;

/** The cell of a duration in milliseconds. Nearly all fit a small integer, which spares the rounding of a double. */
export function cellAt(ms: number): number {
  const us = ms * 1000 + 0.5;
  return us >= 0 && us < SMALL_US ? cellOf(us | 0) : cellOf(recordable(ms));
}

/** The counts of one interval. It remembers the range in use, so that reading and clearing cost no more than that. */
export class DurationHistogram {
  private readonly counts = new Uint32Array(HISTOGRAM_CELLS);
  private low = HISTOGRAM_CELLS;
  private high = -1;

  get empty(): boolean {
    return this.high < 0;
  }

  record(ms: number): void {
    this.add(cellAt(ms));
  }

  /** @param cell from `cellAt`: computed once for a value that goes into several histograms */
  add(cell: number): void {
    this.counts[cell] = (this.counts[cell] as number) + 1;
    if (cell < this.low) this.low = cell;
    if (cell > this.high) this.high = cell;
  }

  /** How many values were recorded. */
  get total(): number {
    let total = 0;
    for (let cell = this.low; cell <= this.high; cell++) total += this.counts[cell] as number;
    return total;
  }

  /** Gives every non-zero cell to `take` in order and clears it. */
  drain(take: (cell: number, count: number) => void): void {
    for (let cell = this.low; cell <= this.high; cell++) {
      const count = this.counts[cell] ?? 0;
      if (count === 0) continue;
      take(cell, count);
      this.counts[cell] = 0;
    }
    this.low = HISTOGRAM_CELLS;
    this.high = -1;
  }
}

/** The value at a percentile (0..100) in milliseconds: the upper end of its cell; 0 without counts. */
export function percentileMs(cells: ReadonlyMap<number, number>, percentile: number): number {
  let total = 0;
  for (const count of cells.values()) total += count;
  let left = Math.max(1, Math.ceil((percentile / 100) * total));
  for (const [cell, count] of [...cells].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return (cellLowest(cell) + cellWidth(cell) - 1) / 1000;
  }
  return 0;
}
