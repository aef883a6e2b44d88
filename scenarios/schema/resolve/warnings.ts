/** Warnings about plans that are legal but probably not meant. */
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
      ({ name, timeoutMs }) =>
        `profile ${name}: its timeout (${formatDuration(timeoutMs)}) is longer than the drain ` +
        `(${formatDuration(drainMs)}), so answers that come after the drain count as lost`,
    );
}

function idleWarnings({ profiles, stages }: Judged): readonly string[] {
  const runMs = Math.max(0, ...stages.map((stage) => stage.startMs + stage.durationMs));
  return profiles.flatMap(({ name, misbehave: { idleMs = 0 } }) =>
    idleMs < runMs
      ? []
      : [
          `profile ${name}: it is idle for ${formatDuration(idleMs)} and the run lasts ${formatDuration(runMs)}, ` +
            'so no session is ever checked',
        ],
  );
}

function stageWarnings({ stages }: Judged): readonly string[] {
  return stages
    .filter((stage) => stage.trial === 1 && stage.measured && stage.durationMs < 1000)
    .map(
      ({ name, durationMs }) =>
        `stage ${name} lasts ${formatDuration(durationMs)}, ` +
        'which is less than the one second that the timeline resolves',
    );
}

function rateWarnings(plan: Judged): readonly string[] {
  return expectedOperations(plan).flatMap(({ stage: index, profile, operations }) => {
    const stage = plan.stages[index];
    if (plan.profiles.some(({ name, arrivals }) => name === profile && arrivals.model === 'none')) return [];
    if (
      stage === undefined ||
      !stage.measured ||
      stage.trial > 1 ||
      operations === undefined ||
      operations >= 1 ||
      peakLoad(stage) === 0 ||
      !takesPart(stage, profile)
    )
      return [];
    return [
      `profile ${profile} has less than one operation due in stage ${stage.name}: ` +
        'its rate is too low for so short a stage',
    ];
  });
}

function thresholdWarnings(plan: Judged, check: Check, afterMs: number): readonly string[] {
  const named = check.labels.stage;
  const judged = plan.stages.filter((stage) => (named === undefined ? stage.measured : stage.name === named));
  const judgedMs = judged.reduce((sum, stage) => sum + stage.durationMs, 0);
  const runsElsewhere = plan.target.kind === 'url' || plan.target.kind === 'command';
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(`threshold "${check.text}": ${text}`);
  if (named !== undefined && judged.every((stage) => !stage.measured))
    warn(`stage ${named} is not measured; it is judged nevertheless, because the threshold names it`);
  if (afterMs >= judgedMs && afterMs > 0)
    warn(
      `its stages last ${formatDuration(judgedMs)}, so after ${formatDuration(afterMs)} ` +
        'it is never judged while running',
    );
  if (check.metric.startsWith('connect.') && !judged.some((stage) => connectsIn(plan, stage, check.labels.profile)))
    warn(
      'no client connects in a stage it is judged over, because sessions are opened before and reused; ' +
        'it may find no data, which is never a pass',
    );
  if (check.metric.startsWith('fault.') && plan.faults.length === 0)
    warn('the scenario has no faults, so it will find no data, which is never a pass');
  if (/^(?:usage|memory)\./.test(check.metric) && runsElsewhere)
    warn(
      'the use of resources is known only of servers that swarmbench starts, ' +
        'so it will find no data, which is never a pass',
    );
  return warnings;
}

/** Whether clients start in this stage, or sessions end and begin again. */
function connectsIn(plan: Judged, stage: StagePlan, profileName: string | undefined): boolean {
  return plan.profiles.some(
    (profile) =>
      (profileName === undefined || profile.name === profileName) &&
      takesPart(stage, profile.name) &&
      (renewsSessions(profile) || startsClients(plan, stage, profile)),
  );
}

/** Whether more of its clients are active than in any stage before, or they come back after a stage without them. */
function startsClients({ stages }: Judged, stage: StagePlan, { name }: ProfilePlan): boolean {
  const earlier = stages.filter((other) => other.index < stage.index);
  const before = earlier.at(-1);
  const share = activeShare(stage, name);
  return (
    share > Math.max(0, ...earlier.map((other) => activeShare(other, name))) ||
    (before !== undefined && activeShare(before, name) === 0)
  );
}

function activeShare(stage: StagePlan, profile: string): number {
  if (!takesPart(stage, profile)) return 0;
  return stage.scale === 'rate' ? 1 : peakLoad(stage);
}

function renewsSessions({ session }: ProfilePlan): boolean {
  return session.mode === 'churn' || session.mode === 'per-request';
}
