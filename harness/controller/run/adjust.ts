import type { Plan } from '../../../scenarios/schema/plan.js';
import type { AdjustRequest } from './run.js';

/** Why a change of load cannot be made, in words; undefined when it can. */
export function adjustProblem(plan: Plan, stageIndex: number, request: AdjustRequest): string | undefined {
  const stage = plan.stages[stageIndex];
  if (stage === undefined) return 'no stage is running';
  if (!Number.isFinite(request.load) || request.load < 0)
    return `load must be a number of at least 0 (1 is 100 %), not ${request.load}`;
  const profiles = plan.profiles.filter((profile) => request.profile === undefined || profile.name === request.profile);
  if (profiles.length === 0)
    return `no profile ${request.profile}; the plan has ${plan.profiles.map((profile) => profile.name).join(', ')}`;
  if (request.load <= 1) return undefined;
  if (stage.scale === 'clients')
    return `stage ${stage.name} scales clients, and all of them are active at 100 %; more clients need a plan with more`;
  const closed = profiles.find((profile) => profile.arrivals.model === 'closed');
  if (closed) return `profile ${closed.name} is a closed loop: it has no rate to raise`;
  const rate = plan.profiles.reduce(
    (sum, profile) => sum + rateOf(profile, profiles.includes(profile) ? request.load : 1),
    0,
  );
  return rate > plan.limits.ratePerSecond
    ? `${rate} operations a second are more than the limit of ${plan.limits.ratePerSecond}`
    : undefined;
}

function rateOf(profile: Plan['profiles'][number], load: number): number {
  return profile.arrivals.model === 'open' ? profile.clients * profile.arrivals.ratePerSecond * load : 0;
}
