import { z } from 'zod';
import { type ProfilePlan, targetOfProfile } from '../../../../scenarios/schema/plan.js';
import { noReplica, type ReplicaCounts } from '../../../analysis/facts/counts.js';
import { targetErrors } from '../../../analysis/facts/target-errors.js';
import type { RunModel } from '../../../analysis/fold-run.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { affinityOf } from '../../../analysis/statistics/affinity.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import type { BuildInput, SectionData } from '../report-section.js';
import { count, latencyBlock, maybe } from '../shared/fields.js';
import { replicaSessions, sessionsOf } from '../shared/replica-sessions.js';

/** Which replica answered what, for the whole run and for each profile, so that routes to the target compare. */
export function buildAffinity(input: BuildInput): Affinity | null {
  const { plan, aggregate, measured } = input;
  const whole = aggregate.select({ stages: measured });
  const affinity = affinityOf(whole);
  if (affinity === undefined) return null;
  return {
    ...sums(affinity.counts),
    unattributed: affinity.unattributed,
    perReplica: parts(whole),
    perProfile: plan.profiles.map((profile) =>
      profilePart(input, profile, aggregate.select({ stages: measured, profile: profile.name })),
    ),
  };
}

function profilePart(model: RunModel, profile: ProfilePlan, totals: Totals): ProfileAffinity {
  const { counts, errors, sessions, connectFailures, histograms } = totals;
  const { ended, failed } = targetErrors(counts, errors);
  return {
    profile: profile.name,
    sticky: stickyOf(model, profile),
    era: eraOf(model, profile),
    ...sums(affinityOf(totals)?.counts ?? noReplica()),
    lost: sessions.sessionsLost,
    refused: [...connectFailures.values()].reduce((sum, times) => sum + times, 0),
    succeeded: counts.succeeded,
    failed: counts.failed,
    errorRate: ended === 0 ? null : failed / ended,
    latencyMs: summarise(histograms.latency),
    perReplica: parts(totals),
  };
}

/** The stickiness is the gateway's; of a gateway that is not ours we know nothing. */
function stickyOf({ plan, facts }: RunModel, profile: ProfilePlan): ProfileAffinity['sticky'] {
  const target = targetOfProfile(plan, profile);
  return target.kind === 'url' || target.kind === 'command' || facts.environment.platform !== 'swarm'
    ? null
    : (profile.sticky ?? target.sticky);
}

function eraOf({ facts: { preflight } }: RunModel, profile: ProfilePlan): ProfileAffinity['era'] {
  if (preflight.kind !== 'passed') return null;
  return (preflight.routes?.find(({ profiles }) => profiles.includes(profile.name))?.pinned ?? preflight.pinned).era;
}

function parts({ replicas }: Totals): ReplicaPart[] {
  const all = replicas.reduce((sum, { counts }) => sum + counts.succeeded + counts.failed, 0);
  return replicas.map(({ name, counts, latency }) => {
    const answered = counts.succeeded + counts.failed;
    return {
      replica: name,
      share: all === 0 ? 0 : answered / all,
      succeeded: counts.succeeded,
      failed: counts.failed,
      errorRate: answered === 0 ? null : counts.failed / answered,
      latencyMs: summarise(latency),
      sessions: sessionsOf(counts),
    };
  });
}

function sums({
  sessions,
  moved,
  moves,
  unknown,
}: Readonly<ReplicaCounts>): Pick<Affinity, 'sessions' | 'moved' | 'moves' | 'unknown'> {
  return { sessions, moved, moves, unknown };
}

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
const sumFields = { sessions: count, moved: count, moves: count, unknown: count };

export const schema = {
  /** Of measured stages; null when no answer named its replica. */
  affinity: z
    .strictObject({
      ...sumFields,
      /** Operations that ended and whose replica is not known. */
      unattributed: count,
      perReplica: z.array(replicaPart),
      perProfile: z.array(
        z.strictObject({
          profile: z.string(),
          /** Null where there is no gateway of ours. */
          sticky: z.enum(['none', 'session', 'cookie', 'source']).nullable(),
          era: z.enum(['legacy', 'modern']).nullable(),
          ...sumFields,
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
