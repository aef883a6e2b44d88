/** Turns parsed sources into the frozen Plan, or finds everything that is wrong with them. */
import { transportOf } from '../client-config/server-entry.js';
import { configHash } from '../config-hash.js';
import { phaseNames } from '../grammar/metrics.js';
import { formatDuration, formatRate } from '../grammar/units.js';
import { checkNode, validParts } from '../keys/check-node.js';
import { type ScenarioSource, scenarioSchema } from '../keys/scenario-schema.js';
import { peakRate, totalDurationMs } from '../offered-load.js';
import type { ArmPlan, LimitsPlan, Plan, ProfilePlan, StagePlan } from '../plan.js';
import type { Sources, Workload } from '../read-sources.js';
import { type Problem, type ReportProblem, SourcePart } from '../source-part.js';
import { type TransportName, transportOfUrl } from '../transports.js';
import { type ArmOption, armSources, interleave, profilesOfArm } from './arms.js';
import { checkRoutes, checkStreams, checkTransports } from './check-profiles.js';
import { faultNames, resolveFaults } from './faults.js';
import { namesEveryOperation, operationNames } from './operations.js';
import { type ProfileContext, resolveProfile } from './profile.js';
import { checkScale, checkStageProfiles, resolveStages, stageNames } from './stages.js';
import { isFromCommandLine, resolveTarget, type TargetRequest, withReplicas } from './target.js';
import { resolveRules, resolveStopRules, resolveThresholds } from './thresholds.js';
import { resolveTruth } from './truth.js';
import { resolveUpstreams } from './upstreams.js';
import { planWarnings, sameArgumentsWarnings } from './warnings.js';

interface ResolveRequest extends TargetRequest {
  /** `--arm NAME=URL`, in order. */
  readonly arms: readonly ArmOption[];
  /** Of all profiles, whatever they say. */
  readonly transport: TransportName | undefined;
  readonly seed: number | undefined;
  /** Factor on all times that shape the run; 1 changes nothing. */
  readonly timeScale: number;
}

type Resolved =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Shortest drain that is used where the scenario gives none. */
const DRAIN_MS = 10_000;
/** Before a turn of an arm, where the scenario says nothing. */
const SETTLE_MS = 1_000;

export function resolvePlan(sources: Sources, request: ResolveRequest): Resolved {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  // Each arm finds the same problems in the profiles.
  const seen = new Set<string>();
  const isNew = (text: string): boolean => seen.size < seen.add(text).size;
  const report: ReportProblem = (problem) => {
    if (isNew(JSON.stringify(problem))) problems.push(problem);
  };
  const warn = (warning: string) => {
    if (isNew(warning)) warnings.push(warning);
  };
  const scenarioPart = new SourcePart(sources.scenario, '', report);
  const scaleMs = (ms: number) => (ms === 0 ? 0 : Math.max(1, Math.round(ms * request.timeScale)));

  const checked = checkNode(scenarioSchema, scenarioPart);
  const source: Partial<ScenarioSource> = checked ?? validParts(scenarioSchema, sources.scenario);

  const armed = armSources(source, sources.scenario, request, report);
  const only = { name: '', source: source.target, node: sources.scenario, request, transport: undefined, report };
  const routes = (armed ?? [only]).map((arm) => {
    const everyTransport = request.transport ?? arm.transport;
    const resolvedTarget = resolveTarget(arm.source, arm.node, arm.request, arm.report, warn);
    const resolvedProfiles = resolveProfiles(sources.workloads, {
      era: request.era ?? arm.source?.era ?? 'auto',
      stages: stageNames(sources.scenario),
      scaleMs,
      report,
      warn,
      transport: transportOfTarget(arm.source, { ...request, ...arm.request }),
      everyTransport,
    });
    const target =
      resolvedTarget === undefined ? undefined : withReplicas(resolvedTarget, arm.source?.replicas, resolvedProfiles);
    const profiles =
      target === undefined
        ? resolvedProfiles
        : checkRoutes(target, resolvedProfiles, scenarioPart, isFromCommandLine(arm.request), warn);
    if (target !== undefined) checkTransports(target, profiles, scenarioPart);
    const truth = resolveTruth(arm.source?.truth, arm.node, request.allowTargets, arm.report);
    return { name: arm.name, target, profiles, truth };
  });
  const upstreams = resolveUpstreams(source, sources.scenario, request, report);
  const [{ target, profiles, truth } = { target: undefined, profiles: [], truth: undefined }] = routes;
  if (source.workload !== undefined && sources.workloads.length === 0 && Object.keys(source.workload).length === 0) {
    scenarioPart.reportAtKey(
      ['workload'],
      'MISSING_KEY',
      'the workload names no profile',
      'such as workload: { low-load: {} }',
    );
  }
  const stages =
    source.stages === undefined ? undefined : resolveStages(source.stages, source.repeat ?? 1, scaleMs, scenarioPart);
  const nodes = sources.workloads.map(({ node }) => node);
  const known = {
    stage: stageNames(sources.scenario),
    profile: sources.workloads.map(({ name }) => name),
    arm: armed?.map((arm) => arm.name) ?? [],
    ...(namesEveryOperation(nodes) ? { operation: operationNames(nodes) } : {}),
    phase: phaseNames,
    fault: faultNames(source.faults ?? []),
  };
  const checks = { known, scaleMs, scenarioPart };
  const thresholds = resolveThresholds(source.thresholds ?? [], checks);
  const stopWhen = resolveStopRules(source.stopWhen ?? [], checks);
  const compare = source.compare === undefined ? undefined : resolveRules(source.compare, checks);
  checkStreams(profiles, scenarioPart);
  if (source.stages !== undefined) checkStageProfiles(source.stages, known.profile, scenarioPart);
  if (stages !== undefined) checkScale(stages, profiles, scenarioPart);
  const seed = request.seed ?? source.seed ?? 1;
  const faults =
    stages === undefined ? [] : resolveFaults(source.faults ?? [], { stages, scaleMs, scenarioPart, target, seed });
  const limits = limitsPlan(source);
  if (stages !== undefined && limits !== undefined && source.workload !== undefined)
    checkLimits(profiles, stages, limits, scenarioPart);
  if (armed !== undefined) refuseBesideArms(source, profiles, scenarioPart);
  else if (source.interleave !== undefined)
    scenarioPart.reportAtKey(['interleave'], 'CONFLICT', 'there are no arms to interleave', 'name them: arms: { ... }');
  if (
    problems.length > 0 ||
    checked === undefined ||
    target === undefined ||
    stages === undefined ||
    limits === undefined
  )
    return { ok: false, problems };

  const { name, description, repeat: trials, onWorkerLoss, drain, preflight, quantiles } = checked;
  const drainMs = drain ?? Math.max(DRAIN_MS, ...profiles.map((profile) => profile.timeoutMs));
  const arms = routes.flatMap((arm): ArmPlan[] =>
    armed === undefined || arm.target === undefined
      ? []
      : [{ name: arm.name, target: arm.target, ...(arm.truth === undefined ? {} : { truth: arm.truth }) }],
  );
  const turns =
    armed === undefined
      ? { profiles, stages }
      : {
          profiles: routes.flatMap((arm) => profilesOfArm(arm.profiles, arm.name)),
          stages: interleave(stages, {
            arms: arms.map((arm) => arm.name),
            profiles: known.profile,
            blocks: source.interleave?.blocks,
            settleMs: source.interleave?.settle ?? SETTLE_MS,
            seed,
          }),
        };
  if (armed !== undefined) checkDuration(turns.stages, limits, scenarioPart);
  if (problems.length > 0) return { ok: false, problems };
  const load = { seed, ...turns, trials, faults, drainMs, limits, stopWhen };
  const plan: Plan = {
    planVersion: 1,
    scenario: name,
    description: description ?? '',
    source: { file: sources.file, configHash: configHash(load) },
    ...load,
    target,
    ...(truth === undefined ? {} : { truth }),
    ...(upstreams === undefined ? {} : { upstreams }),
    ...(armed === undefined ? {} : { arms }),
    thresholds,
    ...(compare === undefined ? {} : { compare }),
    ...(quantiles === undefined ? {} : { quantiles: [...new Set(quantiles)].toSorted((a, b) => a - b) }),
    onWorkerLoss,
    preflight: { calls: preflight.calls, timeoutMs: preflight.timeout },
    warnings: [
      ...warnings,
      ...planWarnings({ target, profiles, stages, faults, thresholds, drainMs }),
      ...(armed === undefined && truth === undefined ? [] : sameArgumentsWarnings(profiles)),
    ],
  };
  return { ok: true, plan: deepFreeze(plan) };
}

/** The transport of profiles that name none, where the target can be reached over one only. */
function transportOfTarget(
  target: Partial<ScenarioSource>['target'],
  { configured, targets }: ResolveRequest,
): TransportName | undefined {
  if (configured !== undefined) return transportOf(configured);
  const server = typeof target?.server === 'object' ? target.server : {};
  if (targets.length === 0 && server.command !== undefined) return 'stdio';
  const urls = targets.length > 0 ? targets : [server.url ?? []].flat();
  const [first, ...others] = [...new Set(urls.map(transportOfUrl))];
  return others.length === 0 ? first : undefined;
}

function resolveProfiles(workloads: readonly Workload[], context: ProfileContext): readonly ProfilePlan[] {
  const profiles: ProfilePlan[] = [];
  let firstSlot = 0;
  for (const { name, node } of workloads) {
    const profile = resolveProfile(node, `workload.${name}`, firstSlot, context);
    if (profile === undefined) continue;
    profiles.push(profile);
    firstSlot += profile.clients;
  }
  return profiles;
}

function limitsPlan(source: Partial<ScenarioSource>): LimitsPlan | undefined {
  if (source.limits === undefined) return undefined;
  const { clients, rate, duration, bytes, answer } = source.limits;
  return { clients, ratePerSecond: rate, durationMs: duration, bytes, answerBytes: answer };
}

/**
 * Checks that the plan stays inside its limits. Workers enforce what cannot be known before the run: bytes, and the
 * rate of closed loops without think time.
 */
function checkLimits(
  profiles: readonly ProfilePlan[],
  stages: readonly StagePlan[],
  limits: LimitsPlan,
  scenarioPart: SourcePart,
): void {
  const reportExceeded = (key: string, path: string, asked: string, limit: string) =>
    reportLimit(key, path, asked, limit, scenarioPart);
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  if (clients > limits.clients) reportExceeded('clients', 'workload', `${clients} clients`, String(limits.clients));
  // Every trial has the same stages.
  const once = stages.filter(({ trial }) => trial === 1);
  const rates = once.map((stage) => profiles.reduce((sum, profile) => sum + (peakRate(stage, profile) ?? 0), 0));
  const rate = Math.max(...rates);
  if (rate > limits.ratePerSecond * (1 + 1e-9))
    reportExceeded('rate', 'workload', formatRate(rate), formatRate(limits.ratePerSecond));
  checkDuration(stages, limits, scenarioPart);
}

function checkDuration(stages: readonly StagePlan[], limits: LimitsPlan, scenarioPart: SourcePart): void {
  const durationMs = totalDurationMs({ stages });
  if (durationMs > limits.durationMs)
    reportLimit('duration', 'stages', formatDuration(durationMs), formatDuration(limits.durationMs), scenarioPart);
}

function reportLimit(key: string, path: string, asked: string, limit: string, scenarioPart: SourcePart): void {
  scenarioPart.reportAtKey(
    scenarioPart.has(['limits', key]) ? ['limits', key] : [path],
    'LIMIT_EXCEEDED',
    `the scenario asks for ${asked}; the limit is ${limit}`,
    `if this is meant, raise limits.${key}`,
  );
}

/** What cannot be told apart by arms, or would strike one of them alone. */
function refuseBesideArms(
  source: Partial<ScenarioSource>,
  profiles: readonly ProfilePlan[],
  scenarioPart: SourcePart,
): void {
  if ((source.repeat ?? 1) > 1)
    scenarioPart.reportAtKey(
      ['repeat'],
      'CONFLICT',
      'the arms take turns already, which repeats every stage',
      'use interleave.blocks, or longer stages',
    );
  if ((source.faults ?? []).length > 0)
    scenarioPart.reportAtKey(
      ['faults'],
      'CONFLICT',
      'a fault would strike one arm and not the others',
      'run the scenario once for each target, and compare the runs',
    );
  for (const { name, operations } of profiles)
    if (operations.some(({ stamped }) => stamped === true))
      scenarioPart.reportAtValue(
        ['workload', name],
        'CONFLICT',
        'publications with `{{ stamp }}` are counted over the whole run, and arms are not',
        'leave the stamp out',
      );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
