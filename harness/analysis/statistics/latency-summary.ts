import type { Quantiles } from '../facts/quantiles.js';
import { type HdrCounts, meanOf, valuesAt } from '../merge/hdr-counts.js';

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
  /** Those that the scenario asks for, by name. */
  readonly quantiles?: Readonly<Record<string, number | null>>;
}

export const statistics = ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;
export type Statistic = (typeof statistics)[number];

const percentiles = { min: 0, p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9, max: 100 } as const;
const usPerMs = 1000;

/** @param asked the quantiles that the scenario asks for */
export function summarise(counts: HdrCounts, asked?: Quantiles): LatencySummary {
  const own = usual(counts);
  if (asked === undefined) return own;
  const names = [...asked].toSorted(([, a], [, b]) => a - b);
  const values =
    counts.total === 0
      ? []
      : valuesAt(
          counts,
          [...asked.values()].toSorted((a, b) => a - b),
        );
  return {
    ...own,
    quantiles: Object.fromEntries(
      names.map(([name], at) => [name, values[at] === undefined ? null : values[at] / usPerMs]),
    ),
  };
}

function usual(counts: HdrCounts): LatencySummary {
  if (counts.total === 0) {
    return { count: 0, min: null, mean: null, p50: null, p90: null, p95: null, p99: null, p999: null, max: null };
  }
  const [min, p50, p90, p95, p99, p999, max] = valuesAt(counts, Object.values(percentiles)).map((us) => us / usPerMs);
  const mean = Math.round(meanOf(counts)) / usPerMs;
  return { count: counts.total, min, mean, p50, p90, p95, p99, p999, max } as LatencySummary;
}

/** One statistic in ms; undefined when empty. */
export function statisticOf(counts: HdrCounts, statistic: Statistic): number | undefined {
  return counts.total === 0 ? undefined : (usual(counts)[statistic] ?? undefined);
}
