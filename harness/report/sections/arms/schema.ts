import { z } from 'zod';
import { count, latencyBlock, maybe } from '../shared/fields.js';

/** With its interval of 95 % over blocks; null where there are too few blocks for one. */
const span = z.strictObject({ value: z.number(), low: maybe, high: maybe });

export const armsSchema = z.strictObject({
  /** The arm that the others are compared with: the first. */
  base: z.string(),
  /** In each block every arm had its turn. `complete`: blocks that were measured to their end, which count. */
  blocks: z.strictObject({ planned: count, complete: count }),
  arms: z.array(
    z.strictObject({
      name: z.string(),
      /** Kind of target, and what it is reached by. */
      target: z.string(),
      era: z.string().nullable(),
      transports: z.array(z.string()),
      succeeded: count,
      failed: count,
      errorRate: maybe,
      throughputPerSecond: maybe,
      latencyMs: latencyBlock,
      connectMs: latencyBlock,
      /** Latency. HdrHistogram V2 compressed, base64, microseconds; absent when empty. */
      histogram: z.string().optional(),
    }),
  ),
  /** What an arm adds to the first one. Quantiles are those of all turns of an arm merged. */
  overheads: z.array(
    z.strictObject({
      arm: z.string(),
      of: z.enum(['latency', 'connect']),
      /** Null: all operations together. */
      operation: z.string().nullable(),
      statistic: z.string(),
      baseMs: z.number(),
      armMs: z.number(),
      addedMs: span,
      /** Of the base: 0.1 is 10 %. */
      addedShare: span,
      /** How often chance alone makes a difference this large; exact, from sign flips of blocks. */
      p: z.number(),
      /** Operations that lie beyond it, of the arm with fewer; with less than 100 it says little. */
      beyond: z.number(),
    }),
  ),
  rules: z.array(
    z.strictObject({
      arm: z.string(),
      rule: z.string(),
      metric: z.string(),
      answer: z.enum(['regressed', 'improved', 'equivalent', 'inconclusive']),
      /** The interval holds no regression as large as the rule. */
      regressionExcluded: z.boolean(),
      base: maybe,
      changed: maybe,
      remarks: z.array(z.string()),
    }),
  ),
  /** The rules are those of swarmbench, because the scenario has none: they decide nothing. */
  defaultRules: z.boolean(),
});
export type ArmsData = z.infer<typeof armsSchema>;
export type OverheadRow = ArmsData['overheads'][number];
