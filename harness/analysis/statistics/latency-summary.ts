import { type HdrCounts, toHistogram } from '../merge/hdr-counts.js';

/** Milliseconds; null where nothing was recorded: an empty histogram has no percentiles, not zero ones. */
export interface LatencySummary {
  readonly count: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

export const statistics = ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;
export type Statistic = (typeof statistics)[number];

const percentiles = { min: 0, p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9, max: 100 } as const;
const usPerMs = 1000;

export function summarise(counts: HdrCounts): LatencySummary {
  if (counts.total === 0) {
    return { count: 0, min: null, mean: null, p50: null, p90: null, p95: null, p99: null, p999: null, max: null };
  }
  const histogram = toHistogram(counts);
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / usPerMs;
  return {
    count: counts.total,
    min: at(percentiles.min),
    mean: Math.round(histogram.mean) / usPerMs,
    p50: at(percentiles.p50),
    p90: at(percentiles.p90),
    p95: at(percentiles.p95),
    p99: at(percentiles.p99),
    p999: at(percentiles.p999),
    max: at(percentiles.max),
  };
}

/** One statistic in ms; undefined when empty. */
export function statisticOf(counts: HdrCounts, statistic: Statistic): number | undefined {
  return counts.total === 0 ? undefined : (summarise(counts)[statistic] ?? undefined);
}
