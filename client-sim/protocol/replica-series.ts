import { z } from 'zod';

const count = z.number().int().min(0);

/**
 * What one replica did for one (stage, profile), as far as its answers named it. An operation belongs to the stage it
 * was due in, a session to each stage in which it was answered. A session is a client's set of connections in the
 * stateless era.
 */
export const replicaSeries = z.strictObject({
  stage: count,
  profile: z.string(),
  /** As it calls itself, or as the gateway before it calls it. */
  replica: z.string(),
  succeeded: count,
  /** With an answer from it; what was never answered has no replica, but where an endpoint is one. */
  failed: count,
  /** Sessions whose first answer of the stage came from it. */
  sessions: count,
  /** Sessions whose very first answer came from it. */
  opened: count,
  /** Sessions whose first move of the stage was to it. */
  moved: count,
  /** Its answers in sessions whose answer before came from another replica. */
  moves: count,
  /** Sessions that it answered as one it does not know. */
  unknown: count,
  /** From due, of succeeded ones. */
  latency: z.string().optional(),
});
export type ReplicaSeries = z.infer<typeof replicaSeries>;
