import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { count, latencyBlock, maybe } from '../shared/fields.js';
import { replicaSessions } from '../shared/replica-sessions.js';

/** What was answered by one replica; `share` of all answers that name theirs. */
const replicaPart = z.strictObject({
  replica: z.string(),
  share: z.number(),
  succeeded: count,
  failed: count,
  errorRate: maybe,
  latencyMs: latencyBlock,
  sessions: replicaSessions,
});

/** Sums over replicas. `sessions` and `moved` count a session once in each stage it was answered in. */
const sums = { sessions: count, moved: count, moves: count, unknown: count };

export const schema = {
  /** Of measured stages; null when no answer named its replica. */
  affinity: z
    .strictObject({
      ...sums,
      /** Operations that ended and whose replica is not known. */
      unattributed: count,
      perReplica: z.array(replicaPart),
      perProfile: z.array(
        z.strictObject({
          profile: z.string(),
          /** Null where there is no gateway of ours. */
          sticky: z.enum(['none', 'session', 'cookie', 'source']).nullable(),
          era: z.enum(['legacy', 'modern']).nullable(),
          ...sums,
          /** Sessions that ended because the server no longer knew them. */
          lost: count,
          /** Sessions that could not be opened. */
          refused: count,
          succeeded: count,
          failed: count,
          errorRate: maybe,
          latencyMs: latencyBlock,
          perReplica: z.array(replicaPart),
        }),
      ),
    })
    .nullable(),
};
export type Affinity = NonNullable<SectionData<typeof schema>['affinity']>;
export type ProfileAffinity = Affinity['perProfile'][number];
export type ReplicaPart = Affinity['perReplica'][number];
