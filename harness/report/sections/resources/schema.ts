import { z } from 'zod';
import { count, latencyBlock, maybe, reading } from '../shared/fields.js';
import { replicaSessions } from '../shared/replica-sessions.js';

const usage = z.strictObject({
  id: z.string(),
  role: z.enum(['target', 'worker']),
  /** In a swarm; two tasks of one slot are two entries. */
  task: z.string().optional(),
  node: z.string().optional(),
  /**
   * `metrics.json`: scraped by Prometheus; `samples`: read from the platform each second, where there is no such
   * file.
   */
  source: z.enum(['metrics.json', 'samples']),
  points: z.array(
    z.strictObject({
      t: z.number(),
      cpu: z.number(),
      memoryBytes: z.number(),
      receivedBytesPerSecond: z.number().optional(),
      sentBytesPerSecond: z.number().optional(),
    }),
  ),
});
export type Usage = z.infer<typeof usage>;
export type UsagePoint = Usage['points'][number];

const replica = z.strictObject({
  id: z.string(),
  node: z.string(),
  url: z.string(),
  /** In a swarm. */
  slot: count.optional(),
  task: z.string().optional(),
  /** Run time at which it came or went, if that was during the run. */
  cameAtSeconds: z.number().optional(),
  goneAtSeconds: z.number().optional(),
  cpu: reading.nullable(),
  memoryBytes: reading.nullable(),
  /** Where the platform knows them. */
  receivedBytesPerSecond: reading.optional(),
  sentBytesPerSecond: reading.optional(),
  /** As far as answers name their replica. */
  succeeded: count,
  failed: count,
  latencyMs: latencyBlock,
  sessions: replicaSessions,
});
export type Replica = z.infer<typeof replica>;

const memory = z.strictObject({
  stage: z.string(),
  trial: count,
  how: z.string(),
  /** open: sessions that clients held; opened: all that were opened so far, so that the slope is what each leaves. */
  against: z.enum(['open', 'opened']),
  fromSessions: z.number(),
  toSessions: z.number(),
  samples: count,
  /**
   * Slope of all replicas' memory, its 95 % interval, and the share of the variation that it explains; null with a
   * reason.
   */
  bytesPerSession: maybe,
  low: maybe,
  high: maybe,
  r2: maybe,
  why: z.string().optional(),
  /**
   * Memory before the stage, at its end, and after the rest without load that follows it; null where none does.
   * `share` of the memory that the stage added; null when it added none.
   */
  givenBack: z
    .strictObject({
      restSeconds: z.number(),
      beforeBytes: z.number(),
      endBytes: z.number(),
      afterBytes: z.number(),
      share: maybe,
    })
    .nullable(),
});
export type SessionMemoryRow = z.infer<typeof memory>;

export const schema = {
  /** What a session costs the target in memory, one row for each measured stage in which sessions came or went. */
  memory: z.array(memory),
  replicas: z.array(replica),
  usage: z.array(usage),
};
