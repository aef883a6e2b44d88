/**
 * Which replica answered what: for the whole run, and for each profile, so that ways through the gateway can be
 * compared.
 */

import type { ProfilePlan } from '../../../../scenarios/schema/plan.js';
import { noReplica } from '../../../analysis/facts/counts.js';
import { targetErrors } from '../../../analysis/facts/target-errors.js';
import type { RunModel } from '../../../analysis/fold-run.js';
import type { ReplicaTotals, Totals } from '../../../analysis/merge/contract.js';
import { HdrCounts } from '../../../analysis/merge/hdr-counts.js';
import { affinityOf } from '../../../analysis/statistics/affinity.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import type { Report } from '../../schema.js';

type Block = NonNullable<Report['affinity']>;
type Part = Block['perReplica'][number];
type ProfilePart = Block['perProfile'][number];

/** @param measured indices of stages */
export function affinityBlock(model: RunModel, measured: readonly number[]): Report['affinity'] {
  const { plan, aggregate } = model;
  const whole = aggregate.select({ stages: measured });
  const affinity = affinityOf(whole);
  if (affinity === undefined) return null;
  return {
    ...sums(affinity.counts),
    unattributed: affinity.unattributed,
    perReplica: parts(whole),
    perProfile: plan.profiles.map((profile) =>
      profilePart(model, profile, aggregate.select({ stages: measured, profile: profile.name })),
    ),
  };
}

/** Of one replica alone, zeros where it answered nothing. */
export function replicaWork(
  { replicas }: Totals,
  name: string,
): Pick<Part, 'succeeded' | 'failed' | 'latencyMs' | 'sessions'> {
  const { counts, latency } = replicas.find((replica) => replica.name === name) ?? {
    counts: noReplica(),
    latency: new HdrCounts(),
  };
  return {
    succeeded: counts.succeeded,
    failed: counts.failed,
    latencyMs: summarise(latency),
    sessions: sessionsOf(counts),
  };
}

function profilePart(model: RunModel, profile: ProfilePlan, totals: Totals): ProfilePart {
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
function stickyOf({ plan: { target }, facts }: RunModel, profile: ProfilePlan): ProfilePart['sticky'] {
  return target.kind === 'url' || target.kind === 'command' || facts.environment.platform !== 'swarm'
    ? null
    : (profile.sticky ?? target.sticky);
}

function eraOf({ facts: { preflight } }: RunModel, profile: ProfilePlan): ProfilePart['era'] {
  if (preflight.kind !== 'passed') return null;
  return (preflight.routes?.find(({ profiles }) => profiles.includes(profile.name))?.pinned ?? preflight.pinned).era;
}

function parts({ replicas }: Totals): Part[] {
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
}: ReplicaTotals['counts']): Pick<Block, 'sessions' | 'moved' | 'moves' | 'unknown'> {
  return { sessions, moved, moves, unknown };
}

function sessionsOf({ sessions, opened, moved, moves, unknown }: ReplicaTotals['counts']): Part['sessions'] {
  return { answered: sessions, opened, movedHere: moved, moves, unknown };
}
