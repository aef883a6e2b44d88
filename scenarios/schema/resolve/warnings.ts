/** Warnings about plans that are legal but probably not meant. */
import type { Template } from '../grammar/template.js';
import { formatDuration } from '../grammar/units.js';
import { expectedOperations, peakLoad, takesPart } from '../offered-load.js';
import type { Check, Plan, ProfilePlan, StagePlan } from '../plan.js';

type Judged = Pick<Plan, 'target' | 'profiles' | 'stages' | 'faults' | 'thresholds' | 'drainMs'>;

export function planWarnings(asked: Judged): readonly string[] {
  // Every trial has the same stages.
  const plan = { ...asked, stages: asked.stages.filter(({ trial }) => trial === 1) };
  const connecting = connections(plan);
  return [
    ...drainWarnings(plan),
    ...idleWarnings(asked),
    ...stageWarnings(plan),
    ...rateWarnings(plan),
    ...plan.thresholds.flatMap(({ check, afterMs }) =>
      thresholdWarnings(plan, check, afterMs, { connecting, trials: asked.stages.at(-1)?.trial ?? 1 }),
    ),
  ];
}

/** Operations that a cache in front of the server can answer, so that the server is not measured. */
export function sameArgumentsWarnings(profiles: readonly ProfilePlan[]): readonly string[] {
  return profiles.flatMap(({ name, operations }) =>
    operations
      .filter(({ method, params, autoArguments }) => method === 'tools/call' && !autoArguments && !isDrawn(params))
      .map(
        (operation) =>
          `profile ${name}: the arguments of ${operation.name} never change, so a cache can answer it; ` +
          'draw them: message: "{{ text 32 }}"',
      ),
  );
}

/** Whether some of it is drawn for each request. */
function isDrawn(template: Template): boolean {
  switch (template.kind) {
    case 'constant':
      return false;
    case 'number':
      return true;
    case 'string':
      return template.parts.some((part) => typeof part !== 'string');
    case 'array':
      return template.items.some(isDrawn);
    case 'object':
      return template.entries.some(([, value]) => isDrawn(value));
  }
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
  const silent = new Set(plan.profiles.flatMap(({ name, arrivals }) => (arrivals.model === 'none' ? [name] : [])));
  return expectedOperations(plan).flatMap(({ stage: index, profile, operations }) => {
    const stage = plan.stages[index];
    if (silent.has(profile)) return [];
    if (
      stage === undefined ||
      !stage.measured ||
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

function thresholdWarnings(
  plan: Judged,
  check: Check,
  afterMs: number,
  { connecting, trials }: { readonly connecting: Connecting; readonly trials: number },
): readonly string[] {
  const named = check.labels.stage;
  const judged = plan.stages.filter((stage) => (named === undefined ? stage.measured : stage.name === named));
  const judgedMs = trials * judged.reduce((sum, stage) => sum + stage.durationMs, 0);
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
  if (check.metric.startsWith('connect.') && !judged.some((stage) => connecting(stage, check.labels.profile)))
    warn(
      'no client connects in a stage it is judged over, because sessions are opened before and reused; ' +
        'it may find no data, which is never a pass',
    );
  const aboutFaults =
    check.metric.startsWith('fault.') || check.labels.phase !== undefined || check.labels.fault !== undefined;
  if (aboutFaults && plan.faults.length === 0)
    warn('the scenario has no faults, so it will find no data, which is never a pass');
  if (/^(?:usage|memory)\./.test(check.metric) && runsElsewhere)
    warn(
      'the use of resources is known only of servers that swarmbench starts, ' +
        'so it will find no data, which is never a pass',
    );
  return warnings;
}

/** Whether clients of the profile, or of any, start in this stage, or sessions end and begin again. */
type Connecting = (stage: StagePlan, profile: string | undefined) => boolean;

/** Found for each profile in one pass over the stages, when it is first asked for. */
function connections({ profiles, stages }: Judged): Connecting {
  const known = new Map<string, ReadonlySet<StagePlan>>();
  const stagesOf = (profile: ProfilePlan): ReadonlySet<StagePlan> => {
    const found = known.get(profile.name) ?? connectingStages(profile, stages);
    known.set(profile.name, found);
    return found;
  };
  const byName = new Map(profiles.map((profile) => [profile.name, profile]));
  return (stage, name) => {
    if (name === undefined) return profiles.some((profile) => stagesOf(profile).has(stage));
    const profile = byName.get(name);
    return profile !== undefined && stagesOf(profile).has(stage);
  };
}

/** Stages in which more of its clients are active than in any before, or they come back after a stage without them. */
function connectingStages(profile: ProfilePlan, stages: readonly StagePlan[]): ReadonlySet<StagePlan> {
  const found = new Set<StagePlan>();
  let most = 0;
  let before: number | undefined;
  for (const stage of stages) {
    const share = activeShare(stage, profile.name);
    const takes = takesPart(stage, profile.name);
    if (takes && (renewsSessions(profile) || share > most || before === 0)) found.add(stage);
    most = Math.max(most, share);
    before = share;
  }
  return found;
}

function activeShare(stage: StagePlan, profile: string): number {
  if (!takesPart(stage, profile)) return 0;
  return stage.scale === 'rate' ? 1 : peakLoad(stage);
}

function renewsSessions({ session }: ProfilePlan): boolean {
  return session.mode === 'churn' || session.mode === 'per-request';
}
