/**
 * A quantile of a latency as an interval that holds the truth: without what the generator itself added, and as it was
 * measured.
 */
import type { HdrCounts } from '../merge/hdr-counts.js';
import { type Statistic, statisticOf } from './latency-summary.js';

/** Milliseconds. */
export interface Interval {
  /** Without the generator's own share. */
  readonly low: number;
  /** As measured. */
  readonly high: number;
}

/** A wider interval is told beside its number: by more than a tenth of it, and by more than 1 ms. */
const wideShare = 0.1;
const wideMs = 1;

export function isWide({ low, high }: Interval): boolean {
  return high - low > Math.max(wideMs, wideShare * high);
}

/** Whether the floor is of all the operations that were measured; if not, the own share is not known. */
export function isShareKnown(measured: HdrCounts, floor: HdrCounts): boolean {
  return measured.total > 0 && floor.total >= measured.total;
}

/** @returns undefined without a value, or where the generator's own share is not known */
export function intervalOf(measured: HdrCounts, floor: HdrCounts, statistic: Statistic): Interval | undefined {
  if (!isShareKnown(measured, floor)) return undefined;
  const [low, high] = [statisticOf(floor, statistic), statisticOf(measured, statistic)];
  return low === undefined || high === undefined ? undefined : { low: Math.min(low, high), high };
}
