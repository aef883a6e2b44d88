/** What the report says of streams and of what was delivered on them. */
import { z } from 'zod';
import { streamCounts } from '../../../../client-sim/protocol/streams.js';
import type { Plan } from '../../../../scenarios/schema/plan.js';
import { isCertain } from '../../../analysis/judge/measure.js';
import type { Aggregate, Totals } from '../../../analysis/merge/contract.js';
import { type LatencySummary, summarise } from '../../../analysis/statistics/latency-summary.js';

const count = z.number().int().min(0);
const maybe = z.number().nullable();
const times = z.strictObject({
  count,
  min: maybe,
  mean: maybe,
  p50: maybe,
  p90: maybe,
  p95: maybe,
  p99: maybe,
  p999: maybe,
  max: maybe,
});

const streams = z.strictObject({
  ...streamCounts.shape,
  /**
   * From when a publication was due to when a subscriber read of it. Null also where the clocks were too far apart for
   * that value.
   */
  deliveryMs: times,
  /** From a consumer's return to when it had heard all it had missed. */
  catchUpMs: times,
  /** How far the clocks of publishers and subscribers may have been apart; 0: one clock. */
  clockErrorMs: z.number(),
});

export const streamsSchema = z.strictObject({
  /** Measured stages. */
  summary: streams,
  stages: z.array(z.strictObject({ name: z.string(), trial: count, measured: z.boolean(), ...streams.shape })),
  profiles: z.array(z.strictObject({ name: z.string(), ...streams.shape })),
  /** The whole run, unmeasured stages included: what is published in one stage may be delivered in another. */
  deliveries: z
    .strictObject({
      publishers: count,
      published: count,
      unconfirmed: count,
      subscriptions: count,
      before: count,
      expected: count,
      delivered: count,
      lost: count,
    })
    .nullable(),
});
type StreamsBlock = z.infer<typeof streamsSchema>;
type Streams = StreamsBlock['summary'];

/** Undefined: the run had no streams and published nothing. */
export function streamBlocks(plan: Plan, aggregate: Aggregate, measured: readonly number[]): StreamsBlock | undefined {
  const all = block(aggregate.select({ stages: plan.stages.map(({ index }) => index) }));
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined && plan.profiles.every(({ stream }) => stream === undefined) && isEmpty(all))
    return undefined;
  return {
    summary: block(aggregate.select({ stages: measured })),
    stages: plan.stages.map(({ index, name, trial, measured: counted }) => ({
      name,
      trial,
      measured: counted,
      ...block(aggregate.select({ stages: [index] })),
    })),
    profiles: plan.profiles
      .map(({ name, stream, operations }) => ({
        listens: stream !== undefined || operations.some(({ stamped }) => stamped === true),
        row: { name, ...block(aggregate.select({ stages: measured, profile: name })) },
      }))
      .filter(({ listens, row }) => listens || row.callsBroken > 0)
      .map(({ row }) => row),
    deliveries: deliveries === undefined ? null : { ...deliveries },
  };
}

function block({ streams: counts, delivery, catchUp, clockErrorMs }: Totals): Streams {
  return {
    ...counts,
    deliveryMs: dropUncertain(summarise(delivery), clockErrorMs),
    catchUpMs: summarise(catchUp),
    clockErrorMs,
  };
}

/** Leaves out every value that the clocks cannot vouch for. */
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

function isEmpty({
  deliveryMs: _,
  catchUpMs: __,
  clockErrorMs: ___,
  cancelled: ____,
  serverRequests: _____,
  ...counts
}: Streams): boolean {
  return Object.values(counts).every((value) => value === 0);
}
