import type { OperationSeries } from '../../../client-sim/protocol/telemetry.js';

const COUNTS = ['offered', 'sent', 'succeeded', 'failed', 'dropped', 'lost', 'unsent'] as const;

interface OperationSum extends Record<(typeof COUNTS)[number], number> {
  readonly errors: Record<string, number>;
}

/** Adds up the counts of all series, errors included. */
export function sumOfSeries(series: readonly OperationSeries[]): OperationSum {
  const sum: OperationSum = {
    offered: 0,
    sent: 0,
    succeeded: 0,
    failed: 0,
    dropped: 0,
    lost: 0,
    unsent: 0,
    errors: {},
  };
  for (const row of series) {
    for (const name of COUNTS) sum[name] += row[name];
    for (const [category, count] of Object.entries(row.errors))
      sum.errors[category] = (sum.errors[category] ?? 0) + count;
  }
  return sum;
}
