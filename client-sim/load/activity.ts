import type { LoadSegment } from '../../scenarios/schema/plan.js';
import type { LoadShape } from './load-shape.js';

/** A half-open interval of run time, milliseconds. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Keeps 7 % of 100 clients at 7, although 0.07 * 100 > 7 in floating point. */
const EPSILON = 1e-9;

/**
 * When client `index` of `clients` is active. In a stage scaled by clients, it is active while load x clients > index:
 * a ramp adds clients one by one, evenly. In a stage scaled by rate, all clients are active. Adjacent intervals are
 * joined, so a client that stays active from one stage to the next is not interrupted.
 */
export function activeIntervals(shape: LoadShape, index: number, clients: number): readonly Interval[] {
  const intervals: Interval[] = [];
  for (const stage of shape) {
    for (const segment of stage.segments) {
      const part = stage.scale === 'rate' ? whole(segment) : activePart(segment, index, clients);
      if (part !== undefined) append(intervals, part);
    }
  }
  return intervals;
}

/** The part of a segment in which the client is active: at most one, because the load is linear within a segment. */
export function activePart(segment: LoadSegment, index: number, clients: number): Interval | undefined {
  const before = segment.from * clients - index - EPSILON;
  const after = segment.to * clients - index - EPSILON;
  if (before > 0 && after > 0) return whole(segment);
  if (before <= 0 && after <= 0) return undefined;
  const crossingMs = segment.startMs + ((segment.endMs - segment.startMs) * before) / (before - after);
  const part = before > 0 ? { fromMs: segment.startMs, toMs: crossingMs } : { fromMs: crossingMs, toMs: segment.endMs };
  return part.fromMs < part.toMs ? part : undefined;
}

function whole(segment: LoadSegment): Interval | undefined {
  return segment.startMs < segment.endMs ? { fromMs: segment.startMs, toMs: segment.endMs } : undefined;
}

function append(intervals: Interval[], part: Interval): void {
  const last = intervals.at(-1);
  if (last !== undefined && last.toMs === part.fromMs)
    intervals[intervals.length - 1] = { fromMs: last.fromMs, toMs: part.toMs };
  else intervals.push(part);
}

/** Follows one client's intervals of activity as time passes. Run time in milliseconds. */
export class ActivityCursor {
  /** When the activity ended, after `holdsAt` returned false: the end may be noticed late. */
  endedMs = 0;
  private intervals: readonly Interval[] = [];
  private next = 0;
  private fromMs = 0;

  /** @param fromMs nothing happens before this run time */
  begin(intervals: readonly Interval[], fromMs: number): void {
    this.fromMs = fromMs;
    this.replace(intervals);
  }

  replace(intervals: readonly Interval[]): void {
    this.intervals = intervals;
    this.next = 0;
  }

  /** Whether the client is active now. Time must not go back. */
  holdsAt(nowMs: number): boolean {
    this.endedMs = nowMs;
    for (; this.next < this.intervals.length; this.next++) {
      const { fromMs, toMs } = this.intervals[this.next] as Interval;
      if (nowMs < toMs) return nowMs >= fromMs && nowMs >= this.fromMs;
      this.endedMs = toMs;
    }
    return false;
  }

  /** When that changes next; Infinity: never. @param active what the client takes itself to be */
  changesAt(active: boolean, nowMs: number): number {
    const interval = this.intervals[this.next];
    if (interval === undefined) return active ? nowMs : Infinity;
    return active ? interval.toMs : Math.max(interval.fromMs, this.fromMs);
  }
}
