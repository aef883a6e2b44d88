import { takesPart } from '../../../scenarios/schema/offered-load.js';
import type { LoadSegment, Plan, ProfilePlan, StagePlan } from '../../../scenarios/schema/plan.js';

/** What the plan asks of a stage, to compare with what happened. */
interface PlannedLoad {
  /** Operations due in open loop; a closed loop plans none. */
  readonly operations: number;
  /** Milliseconds times active clients, of all profiles. */
  readonly clientMs: number;
}

/** @param untilMs run time at which the stage was cut, when it was */
export function plannedLoad(plan: Plan, stage: StagePlan, untilMs: number): PlannedLoad {
  let operations = 0;
  let clientMs = 0;
  for (const profile of plan.profiles) {
    if (!takesPart(stage, profile.name)) continue;
    const active = activeClientMs(profile, stage, untilMs);
    clientMs += active;
    if (profile.arrivals.model === 'open')
      operations += (profile.arrivals.ratePerSecond * loadedClientMs(profile, stage, untilMs, active)) / 1000;
  }
  return { operations, clientMs };
}

/** With `scale: clients`, client k of n is active while load x n > k; with `scale: rate`, all are. */
function activeClientMs(profile: ProfilePlan, stage: StagePlan, untilMs: number): number {
  if (stage.scale === 'rate') return profile.clients * Math.max(0, Math.min(stage.durationMs, untilMs - stage.startMs));
  let sum = 0;
  for (let client = 0; client < profile.clients; client += 1) {
    for (const segment of stage.segments) sum += timeAbove(segment, client / profile.clients, untilMs);
  }
  return sum;
}

function loadedClientMs(profile: ProfilePlan, stage: StagePlan, untilMs: number, active: number): number {
  if (stage.scale === 'clients') return active;
  return profile.clients * stage.segments.reduce((sum, segment) => sum + integral(segment, untilMs), 0);
}

/** How long the load of a linear segment lies above a level. */
function timeAbove({ startMs, endMs, from, to }: LoadSegment, level: number, untilMs: number): number {
  const end = Math.min(endMs, untilMs);
  if (end <= startMs) return 0;
  if (from === to) return from > level ? end - startMs : 0;
  const crossing = startMs + ((level - from) / (to - from)) * (endMs - startMs);
  const above = to > from ? end - Math.max(startMs, crossing) : Math.min(end, crossing) - startMs;
  return Math.max(0, Math.min(end - startMs, above));
}

function integral({ startMs, endMs, from, to }: LoadSegment, untilMs: number): number {
  const end = Math.min(endMs, untilMs);
  if (end <= startMs) return 0;
  const atEnd = from + ((to - from) * (end - startMs)) / (endMs - startMs);
  return ((from + atEnd) / 2) * (end - startMs);
}
