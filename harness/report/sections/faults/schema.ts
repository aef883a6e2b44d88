import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { count, maybe } from '../shared/fields.js';

const phase = {
  /** From the order until all of it took effect: for replicas, running and behind the gateway. */
  convergenceSeconds: maybe,
  /** From the order until throughput over 3 s stayed at 95 % of the 10 s before; 0: it never fell. */
  recoverySeconds: maybe,
  /** Why the recovery is not known. */
  recoveryUnknown: z.string().optional(),
};
export type FaultPhase = z.infer<z.ZodObject<typeof phase>>;

export const schema = {
  /**
   * Changes that were made on purpose while the load was on, in order of time; `undo` is null for a fault that lasted
   * to the end of the run.
   */
  faults: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      target: z.string(),
      /** ISO 8601. */
      at: z.string().nullable(),
      atSeconds: maybe,
      /** When its undo was ordered; null when the platform did not accept it. */
      undoneAt: z.string().nullable(),
      undoneAtSeconds: maybe,
      endedBy: z.enum(['time', 'run-over']).nullable(),
      ...phase,
      undo: z.strictObject(phase).nullable(),
      /** Failed and lost operations from its beginning until its undo took effect. */
      failedDuring: count,
      problem: z.string().optional(),
    }),
  ),
};
export type Fault = SectionData<typeof schema>['faults'][number];
