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
});
export type LatencyBlock = z.infer<typeof latencyBlock>;

export const reading = z.strictObject({ mean: z.number(), worst: z.number() });
