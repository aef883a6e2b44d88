/** Fields of `report.json` that several sections share. */
import { z } from 'zod';

export const count = z.number().int().min(0);
/** Null where there was no data. */
export const maybe = z.number().nullable();

/** Milliseconds. */
export const latencyBlock = z.strictObject({
  count,
  min: maybe,
  mean: maybe,
  p50: maybe,
  p90: maybe,
  p95: maybe,
  p99: maybe,
  p999: maybe,
  max: maybe,
  /** Those that the scenario asks for, by name, such as `p99.9`. Absent: it asks for none. */
  quantiles: z.record(z.string(), maybe).optional(),
});
export type LatencyBlock = z.infer<typeof latencyBlock>;

/** What tables, terminal and JUnit show of a latency: what the scenario asks for, else three quantiles. */
export function shownQuantiles(block: LatencyBlock): readonly (readonly [name: string, ms: number | null])[] {
  const { quantiles, p50, p95, p99 } = block;
  return Object.entries(quantiles ?? { p50, p95, p99 });
}

/** One of them; null where it is not known. */
export function quantileOf(block: LatencyBlock | undefined, name: string): number | null {
  return shownQuantiles(block ?? noLatency).find(([own]) => own === name)?.[1] ?? null;
}

const noLatency: LatencyBlock = {
  count: 0,
  min: null,
  mean: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  max: null,
};

export const reading = z.strictObject({ mean: z.number(), worst: z.number() });
