import { type StreamCounts, streamCounts } from '../../../../client-sim/protocol/streams.js';
import { allStages } from '../../../analysis/facts/stages.js';
import { isCertain } from '../../../analysis/judge/measure.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { type LatencySummary, summarise } from '../../../analysis/statistics/latency-summary.js';
import type { BuildInput } from '../report-section.js';
import type { StreamSums, Streams } from './schema.js';

/** @returns undefined when the run had no streams and published nothing */
export function buildStreams({ plan, aggregate, measured }: BuildInput): Streams | undefined {
  const all = sumsOf(aggregate.select({ stages: allStages(plan) }));
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined && plan.profiles.every(({ stream }) => stream === undefined) && isEmpty(all))
    return undefined;
  return {
    summary: sumsOf(aggregate.select({ stages: measured })),
    stages: plan.stages.map(({ index, name, trial, measured: counted }) => ({
      name,
      trial,
      measured: counted,
      ...sumsOf(aggregate.select({ stages: [index] })),
    })),
    profiles: plan.profiles
      .map(({ name, stream, operations }) => ({
        listens: stream !== undefined || operations.some(({ stamped }) => stamped === true),
        row: { name, ...sumsOf(aggregate.select({ stages: measured, profile: name })) },
      }))
      .filter(({ listens, row }) => listens || row.callsBroken > 0)
      .map(({ row }) => row),
    deliveries: deliveries === undefined ? null : { ...deliveries },
  };
}

function sumsOf({ streams: counts, delivery, catchUp, clockErrorMs }: Totals): StreamSums {
  return {
    ...counts,
    deliveryMs: dropUncertain(summarise(delivery), clockErrorMs),
    catchUpMs: summarise(catchUp),
    clockErrorMs,
  };
}

/** Leaves out every value that is too small for the error of the clocks. */
function dropUncertain(summary: LatencySummary, clockErrorMs: number): LatencySummary {
  const keep = (ms: number | null): number | null => (ms !== null && isCertain(ms, clockErrorMs) ? ms : null);
  const { count: samples, min, mean, p50, p90, p95, p99, p999, max } = summary;
  return {
    count: samples,
    min: keep(min),
    mean: keep(mean),
    p50: keep(p50),
    p90: keep(p90),
    p95: keep(p95),
    p99: keep(p99),
    p999: keep(p999),
    max: keep(max),
  };
}

/** Cancelled calls and requests of a server come without streams too. */
function isEmpty(sums: StreamSums): boolean {
  return counted.every((key) => sums[key] === 0);
}

const counted = Object.keys(streamCounts.shape).filter(
  (key): key is keyof StreamCounts => key !== 'cancelled' && key !== 'serverRequests',
);
