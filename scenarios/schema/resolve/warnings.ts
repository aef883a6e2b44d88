/** Plans that are legal but probably not meant. */
import { formatDuration } from '../grammar/units.js';
import { expectedOperations, peakLoad, takesPart } from '../offered-load.js';
import type { Check, Plan, ProfilePlan, StagePlan } from '../plan.js';

type Judged = Pick<Plan, 'target' | 'profiles' | 'stages' | 'faults' | 'thresholds' | 'drainMs'>;

export function planWarnings(plan: Judged): readonly string[] {
  return [
    ...drainWarnings(plan),
    ...idleWarnings(plan),
    ...stageWarnings(plan),
    ...rateWarnings(plan),
    ...plan.thresholds.flatMap(({ check, afterMs }) => thresholdWarnings(plan, check, afterMs)),
  ];
}

function drainWarnings({ profiles, drainMs }: Judged): readonly string[] {
  return profiles
    .filter((profile) => profile.timeoutMs > drainMs)
    .map(
      (profile) =>
        `profile ${profile.name}: its timeout (${formatDuration(profile.timeoutMs)}) is longer than the drain (${formatDuration(drainMs)}): answers still due then count as lost`,
    );
}

function idleWarnings({ profiles, stages }: Judged): readonly string[] {
  const runMs = Math.max(0, ...stages.map((stage) => stage.startMs + stage.durationMs));
  return profiles.flatMap(({ name, misbehave: { idleMs = 0 } }) =>
    idleMs < runMs
      ? []
      : [
          `profile ${name}: it is idle for ${formatDuration(idleMs)} and the run lasts ${formatDuration(runMs)}: no session is ever checked`,
        ],
  );
}

function stageWarnings({ stages }: Judged): readonly string[] {
  return stages
    .filter((stage) => stage.trial === 1 && stage.measured && stage.durationMs < 1000)
    .map(
      (stage) =>
        `stage ${stage.name} lasts ${formatDuration(stage.durationMs)}: less than the one second the timeline resolves`,
    );
}

function rateWarnings(plan: Judged): readonly string[] {
  return expectedOperations(plan).flatMap(({ stage, profile, operations }) => {
    const of = plan.stages[stage];
    if (plan.profiles.some(({ name, arrivals }) => name === profile && arrivals.model === 'none')) return [];
    if (
      of === undefined ||
      !of.measured ||
      of.trial > 1 ||
      operations === undefined ||
      operations >= 1 ||
      peakLoad(of) === 0 ||
      !takesPart(of, profile)
    )
      return [];
    return [
      `profile ${profile} has less than one operation due in stage ${of.name}: its rate is too low for so short a stage`,
    ];
  });
}

function thresholdWarnings(plan: Judged, check: Check, afterMs: number): readonly string[] {
  const warnings: string[] = [];
  const named = check.labels.stage;
  const judged = plan.stages.filter((stage) => (named === undefined ? stage.measured : stage.name === named));
  if (named !== undefined && judged.every((stage) => !stage.measured)) {
    warnings.push(
      `threshold "${check.text}": stage ${named} is not measured; it is judged all the same, because the threshold names it`,
    );
  }
  const judgedMs = judged.reduce((sum, stage) => sum + stage.durationMs, 0);
  if (afterMs >= judgedMs && afterMs > 0) {
    warnings.push(
      `threshold "${check.text}": its stages last ${formatDuration(judgedMs)}, so after ${formatDuration(afterMs)} it is never judged while running`,
    );
  }
  if (check.metric.startsWith('connect.') && !judged.some((stage) => connectsIn(plan, stage, check.labels.profile))) {
    warnings.push(
      `threshold "${check.text}": no client connects in a stage it is judged over (sessions are reused and opened before), so it may find no data, which is never a pass`,
    );
  }
  if (check.metric.startsWith('fault.') && plan.faults.length === 0) {
    warnings.push(
      `threshold "${check.text}": the scenario has no faults, so it will find no data, which is never a pass`,
    );
  }
  if (/^(?:usage|memory)\./.test(check.metric) && (plan.target.kind === 'url' || plan.target.kind === 'command')) {
    warnings.push(
      `threshold "${check.text}": the use of resources is known only of servers that swarmbench starts, so it will find no data, which is never a pass`,
    );
  }
  return warnings;
}

/** Whether new clients start in this stage, or sessions end and begin again. */
function connectsIn(plan: Judged, stage: StagePlan, profileName: string | undefined): boolean {
  return plan.profiles.some(
    (profile) =>
      (profileName === undefined || profile.name === profileName) &&
      takesPart(stage, profile.name) &&
      (renews(profile) || starts(plan, stage, profile)),
  );
}

/** More of its clients are at work than in any stage before, or they come back after one without them. */
function starts({ stages }: Judged, stage: StagePlan, { name }: ProfilePlan): boolean {
  const reach = (of: StagePlan): number => (!takesPart(of, name) ? 0 : of.scale === 'rate' ? 1 : peakLoad(of));
  const earlier = stages.filter((other) => other.index < stage.index);
  const before = earlier.at(-1);
  return reach(stage) > Math.max(0, ...earlier.map(reach)) || (before !== undefined && reach(before) === 0);
}

function renews(profile: ProfilePlan): boolean {
  return profile.session.mode === 'churn' || profile.session.mode === 'per-request';
}
