import { z } from 'zod';
import { count } from '../shared/fields.js';
import { operationFields, trafficFields } from '../shared/traffic.js';

const stages = z.array(
  z.strictObject({
    name: z.string(),
    trial: count,
    measured: z.boolean(),
    /** ISO 8601. */
    startedAt: z.string().nullable(),
    startSeconds: z.number(),
    durationSeconds: z.number(),
    ...trafficFields,
  }),
);
const operations = z.array(
  z.strictObject({ name: z.string(), profile: z.string(), method: z.string(), ...operationFields }),
);
const trials = z.strictObject({
  values: z.array(z.strictObject({ trial: count, metrics: z.record(z.string(), z.number()) })),
  /** Median over trials, and what the trials say about it. */
  intervals: z.record(
    z.string(),
    z.strictObject({
      median: z.number(),
      low: z.number(),
      high: z.number(),
      /** `range`: lowest and highest of fewer than six trials. `interval`: it holds the true median 95 times in 100. */
      kind: z.enum(['range', 'interval']),
      /** How often an interval made like this holds the true median; 0 for one trial. */
      coverage: z.number(),
      /** With data of this metric. */
      trials: count,
    }),
  ),
});

export const schema = {
  stages,
  operations,
  /** Only of runs with several trials. */
  trials: trials.optional(),
};

export type Stage = z.infer<typeof stages>[number];
export type OperationRow = z.infer<typeof operations>[number];
export type Trials = z.infer<typeof trials>;

export interface StagesData {
  readonly stages: readonly Stage[];
}
