import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { count, maybe, reading } from '../shared/fields.js';

/** In a swarm: which task of which service it was, and on which node. */
const place = z.strictObject({ service: z.string(), slot: count, task: z.string(), node: z.string() });

export const schema = {
  workers: z.array(
    z.strictObject({
      id: z.string(),
      host: z.string(),
      place: place.optional(),
      pid: count,
      threads: count,
      slots: count,
      offered: count,
      sent: count,
      succeeded: count,
      failed: count,
      lostAtSeconds: maybe,
      ended: z.string().nullable(),
      batches: count,
      health: z.strictObject({ reports: count, saturated: count, values: z.record(z.string(), reading) }),
      clock: z.strictObject({ offsetMs: z.number(), errorMs: z.number() }).nullable(),
    }),
  ),
};
export type Worker = SectionData<typeof schema>['workers'][number];
