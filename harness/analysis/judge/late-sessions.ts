/** Sessions that opened late in a measured stage, so that a handshake is part of what the stage measured. */
import type { Plan, ProfilePlan } from '../../../scenarios/schema/plan.js';
import { formatMs, plural } from '../format.js';
import { type Aggregate, observedSeconds } from '../merge/aggregate.js';
import { statisticOf } from '../statistics/latency-summary.js';

/** So much of a stage's time moves its p99. */
const noticeableShare = 0.01;

/**
 * Told of the profiles that keep their sessions: those that open sessions all the time are there to measure that. What
 * was due before a session was open waited for it.
 */
export function lateSessionNotes(plan: Plan, aggregate: Aggregate): readonly string[] {
  const stage = plan.stages.find(({ measured }) => measured);
  if (stage === undefined) return [];
  const observedMs = observedSeconds(aggregate, [stage.index]) * 1000;
  return plan.profiles.filter(keepsSessions).flatMap((profile) => {
    const { sessions, connect, histograms } = aggregate.select({ stages: [stage.index], profile: profile.name });
    const longest = statisticOf(connect, 'max');
    const usual = statisticOf(histograms.service, 'p50');
    if (longest === undefined || usual === undefined || sessions.sessionsLost > 0) return [];
    if (longest < noticeableShare * observedMs || longest < 2 * usual) return [];
    return [
      `${plural(sessions.sessionsOpened, 'session')} of profile ${profile.name} opened in the measured stage ` +
        `${stage.name}, which took up to ${formatMs(longest)}: what was due meanwhile waited, and its latency ` +
        'includes that. A stage with measured: false before it opens them first',
    ];
  });
}

function keepsSessions({ session }: ProfilePlan): boolean {
  return session.mode === 'reuse' || session.mode === 'pool';
}
