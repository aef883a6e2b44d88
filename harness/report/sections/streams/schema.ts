import { z } from 'zod';
import { streamCounts } from '../../../../client-sim/protocol/streams.js';
import { count, latencyBlock } from '../shared/fields.js';

const sums = z.strictObject({
  ...streamCounts.shape,
  /**
   * From when a publication was due to when a subscriber read it. Null also where the clocks were too far apart for
   * that value.
   */
  deliveryMs: latencyBlock,
  /** From a consumer's return until it had received all it had missed. */
  catchUpMs: latencyBlock,
  /** How far apart the clocks of publishers and subscribers may have been; 0: one clock. */
  clockErrorMs: z.number(),
});

export const streamsSchema = z.strictObject({
  /** Measured stages. */
  summary: sums,
  stages: z.array(z.strictObject({ name: z.string(), trial: count, measured: z.boolean(), ...sums.shape })),
  profiles: z.array(z.strictObject({ name: z.string(), ...sums.shape })),
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
export type Streams = z.infer<typeof streamsSchema>;
export type StreamSums = Streams['summary'];
export type Deliveries = NonNullable<Streams['deliveries']>;

export const schema = {
  /** Only of runs with streams or publications. */
  streams: streamsSchema.optional(),
};
