import { takesPart } from '../../../scenarios/schema/offered-load.js';
import type { LoadSegment, Plan, ProfilePlan, StagePlan } from '../../../scenarios/schema/plan.js';
import type { OperationCounts } from '../facts/counts.js';
import type { RunFacts } from '../facts/run-facts.js';
import { allStages } from '../facts/stages.js';
import { listed, percent, plural, whole } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';

/** Whether the planned load was delivered in every measured stage, and if not, whose fault it is. */

/** With a smaller share of what was due, the stage was another test than the planned one. */
const leastDelivered = 0.95;
/** Where clients had lost their sessions. */
const leastWithout = 0.5;
/** Begins the reason for a target that is slower than the window allows. */
const NOT_DELIVERED = 'load not delivered';
/** The end of a stage always cuts off one or two operations. */
const fewOperations = 2;

type Delivered = Pick<Aggregate, 'select' | 'workers' | 'observedMs' | 'samples'>;

/** Why the target has not taken the planned load: that fails the run, whatever the thresholds say. */
export function judgeTakenLoad(plan: Plan, aggregate: Delivered): readonly string[] {
  return plan.stages
    .filter(({ measured }) => measured)
    .flatMap((stage) => plan.profiles.flatMap((profile) => undelivered(plan, aggregate, stage, profile)));
}

/** Why the workers have not made the planned load: that makes the run invalid. */
export function judgeMadeLoad(plan: Plan, aggregate: Delivered, facts: RunFacts): readonly string[] {
  return [
    ...exhausted(plan, aggregate),
    ...plan.stages
      .filter(({ measured }) => measured)
      .flatMap((stage) => [
        ...neverDue(plan, aggregate, facts, stage),
        ...absentClients(plan, aggregate, facts, stage),
      ]),
  ];
}

const EXHAUSTED = 'exhausted_by_us';

/** Connections that a worker's machine could not make. Those of the warm-up are missing in the measured stages, too. */
function exhausted(plan: Plan, aggregate: Pick<Aggregate, 'select' | 'samples'>): readonly string[] {
  const { connectFailures, errors } = aggregate.select({ stages: allStages(plan) });
  const times = Math.max(connectFailures.get(EXHAUSTED) ?? 0, errors.get(EXHAUSTED) ?? 0);
  if (times === 0) return [];
  const detail = aggregate.samples().get(EXHAUSTED)?.[0]?.detail;
  return [
    `the machine of a worker had nothing left to make ${plural(times, 'connection')} with` +
      `${detail === undefined ? '' : ` (${detail})`}: raise ulimit -n, widen net.ipv4.ip_local_port_range, ` +
      'reuse connections, or add workers on other machines',
  ];
}

function undelivered(plan: Plan, aggregate: Delivered, stage: StagePlan, profile: ProfilePlan): readonly string[] {
  const { counts, sessions } = aggregate.select({ stages: [stage.index], profile: profile.name });
  const short = counts.offered - counts.sent;
  if (short <= fewOperations || counts.sent >= leastDelivered * counts.offered) return [];
  // A target that loses its sessions is what was measured: each of its clients ends the stage without a session.
  if (sessions.sessionsLost > 0 && counts.dropped <= fewOperations && counts.sent >= leastWithout * counts.offered)
    return [];
  return [
    `${NOT_DELIVERED}: in stage ${stageName(plan, stage)} profile ${profile.name} ` +
      `sent ${percent(counts.sent / counts.offered)} of what was due ` +
      `(${whole(counts.sent)} of ${whole(counts.offered)}): ${why(counts, profile)}`,
  ];
}

function why(counts: OperationCounts, profile: ProfilePlan): string {
  return listed([
    ...(counts.dropped > 0
      ? [
          `${whole(counts.dropped)} found the window of ${profile.maxInFlight} in flight a client full ` +
            'until the stage ended (the target answers more slowly than that allows: ' +
            'lower the rate, or raise maxInFlight with connections or pipeline)',
        ]
      : []),
    ...(counts.unsent > 0
      ? [
          `${whole(counts.unsent)} could not be sent because the target gave no session, ` +
            "or because the load was stopped or reached a limit (see the errors and the target's log)",
        ]
      : []),
  ]);
}

/** Arrivals that never came due because their worker was gone or late. Not checked after a change of the load. */
function neverDue(plan: Plan, aggregate: Delivered, facts: RunFacts, stage: StagePlan): readonly string[] {
  if (facts.adjusted.some((adjusted) => adjusted.stage === stage.index)) return [];
  const open = plan.profiles.filter(({ arrivals }) => arrivals.model === 'open');
  const planned = plannedLoad(plan, stage, stage.startMs + aggregate.observedMs(stage.index)).operations;
  const offered = open.reduce(
    (sum, { name }) => sum + aggregate.select({ stages: [stage.index], profile: name }).counts.offered,
    0,
  );
  // Each client may lack its first arrival, and Poisson arrivals vary: 3 standard deviations.
  const chance = open.reduce((sum, { clients }) => sum + clients, 0) + 3 * Math.sqrt(planned);
  if (offered >= leastDelivered * planned - chance) return [];
  return [
    `load not offered: in stage ${stageName(plan, stage)} ${whole(offered)} operations came due ` +
      `where the plan has ${whole(planned)} (${percent(offered / planned)}): ` +
      `${lossesIn(facts)}. Run it again with as many workers as it needs`,
  ];
}

/** A closed loop plans no arrivals, so its clients must have been active. Checked only when a worker was lost. */
function absentClients(plan: Plan, aggregate: Delivered, facts: RunFacts, stage: StagePlan): readonly string[] {
  if (lost(facts).length === 0 || plan.profiles.every(({ arrivals }) => arrivals.model !== 'closed')) return [];
  const planned = plannedLoad(plan, stage, stage.startMs + aggregate.observedMs(stage.index)).clientMs;
  const active = [...aggregate.workers().values()].reduce(
    (sum, counters) => sum + (counters.byStage.get(stage.index)?.clientMs ?? 0),
    0,
  );
  if (planned === 0 || active >= leastDelivered * planned) return [];
  return [
    `load reduced: in stage ${stageName(plan, stage)} clients were active for ${percent(active / planned)} ` +
      `of their planned time: ${lossesIn(facts)}`,
  ];
}

function lost(facts: RunFacts): readonly string[] {
  return [...facts.workers]
    .filter(([, { lostAtMs, finished }]) => lostAtMs !== undefined || finished?.reason === 'lease-lost')
    .map(([workerId]) => workerId);
}

function lossesIn(facts: RunFacts): string {
  const workers = lost(facts);
  if (workers.length === 0) return 'some workers started late or stopped early';
  return workers.length === 1 ? `worker ${listed(workers)} was lost` : `workers ${listed(workers)} were lost`;
}

/** With several trials, the trial distinguishes stages of the same name. */
export function stageName(plan: Plan, stage: StagePlan): string {
  return plan.trials > 1 ? `${stage.name} (trial ${stage.trial})` : stage.name;
}

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
