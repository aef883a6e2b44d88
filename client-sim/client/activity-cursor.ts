import type { Interval } from '../load/activity.js';

/** Goes along one client's intervals of activity as time passes. Run time in milliseconds. */
export class ActivityCursor {
  /** When the activity ended that `holdsAt` said no to last: it may be noticed late. */
  endedMs = 0;
  private intervals: readonly Interval[] = [];
  private next = 0;
  private fromMs = 0;

  /** @param fromMs nothing happens before */
  begin(intervals: readonly Interval[], fromMs: number): void {
    this.fromMs = fromMs;
    this.replace(intervals);
  }

  replace(intervals: readonly Interval[]): void {
    this.intervals = intervals;
    this.next = 0;
  }

  /** Whether there is activity now. Time does not go back. */
  holdsAt(nowMs: number): boolean {
    this.endedMs = nowMs;
    for (; this.next < this.intervals.length; this.next++) {
      const { fromMs, toMs } = this.intervals[this.next] as Interval;
      if (nowMs < toMs) return nowMs >= fromMs && nowMs >= this.fromMs;
      this.endedMs = toMs;
    }
    return false;
  }

  /** When that changes next; Infinity: never. @param active as far as the client knows */
  changesAt(active: boolean, nowMs: number): number {
    const interval = this.intervals[this.next];
    if (interval === undefined) return active ? nowMs : Infinity;
    return active ? interval.toMs : Math.max(interval.fromMs, this.fromMs);
  }
}
