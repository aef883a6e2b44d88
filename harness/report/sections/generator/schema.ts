import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { count, maybe, reading } from '../shared/fields.js';

/** In a swarm: which task of which service it was, and on which node. */
const place = z.strictObject({ service: z.string(), slot: count, task: z.string(), node: z.string() });

const gaps = z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() });

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
      /**
       * Of the measured stages, milliseconds; absent: not known. `mean...`: what the worker added to a latency on
       * average. `longest...`: the latest departure, or the longest that an answer may have lain unread.
       */
      own: z
        .strictObject({
          meanMs: z.number(),
          longestMs: z.number(),
          waitedMs: z.number(),
          stoppedMs: z.number(),
          /** Share of its operations that left in another tenth of a second than planned. */
          movedShare: z.number(),
          /** The gaps between operations of open loops, by engine thread, as planned and as sent. */
          gapsMs: z.strictObject({ planned: gaps, sent: gaps }).optional(),
        })
        .optional(),
      clock: z.strictObject({ offsetMs: z.number(), errorMs: z.number() }).nullable(),
    }),
  ),
};
export type Worker = SectionData<typeof schema>['workers'][number];
