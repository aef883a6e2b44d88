import { child, type MapNode, type SourceNode } from '../../yaml/node.js';
import { configHash } from '../config-hash.js';
import { formatDuration, formatRate } from '../grammar/units.js';
import { checkNode, validParts } from '../keys/check-node.js';
import { type ScenarioSource, scenarioSchema } from '../keys/scenario-schema.js';
import { peakRate, totalDurationMs } from '../offered-load.js';
import type { LimitsPlan, Plan, ProfilePlan, StagePlan } from '../plan.js';
import { nameOf, type Problem, type ReportProblem, SourcePart } from '../source-part.js';
import type { TransportName } from '../transports.js';
import { checkRoutes, checkStreams, checkTransports } from './check-profiles.js';
import { resolveFaults } from './faults.js';
import { resolveProfile } from './profile.js';
import { checkStageProfiles, resolveStages } from './stages.js';
import { isFromCommandLine, resolveTarget, type TargetRequest, withReplicas } from './target.js';
import { resolveStopRules, resolveThresholds } from './thresholds.js';
import { planWarnings } from './warnings.js';

/** Parsed sources into the frozen Plan, or everything that is wrong with them. */

/** A workload entry with its profile merged in. */
export interface Workload {
  readonly name: string;
  readonly node: MapNode;
}

export interface Sources {
  /** As shown in problems and kept in the plan. */
  readonly file: string;
  readonly scenario: MapNode;
  readonly workloads: readonly Workload[];
}

interface ResolveRequest extends TargetRequest {
  readonly seed: number | undefined;
  /** Factor on all times that shape the run; 1 leaves them alone. */
  readonly timeScale: number;
}

type Resolved =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Shortest drain the plan makes for itself. */
const DRAIN_MS = 10_000;

export function resolvePlan(sources: Sources, request: ResolveRequest): Resolved {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const report: ReportProblem = (problem) => problems.push(problem);
  const warn = (warning: string) => warnings.push(warning);
  const scenario = new SourcePart(sources.scenario, '', report);
  const scaleMs = (ms: number) => (ms === 0 ? 0 : Math.max(1, Math.round(ms * request.timeScale)));

  const checked = checkNode(scenarioSchema, sources.scenario, '');
  if (!checked.ok) checked.problems.forEach(report);
  const source: Partial<ScenarioSource> = checked.ok ? checked.value : validParts(scenarioSchema, sources.scenario);

  const resolvedTarget = resolveTarget(source.target, sources.scenario, request, report, warn);
  const era = request.era ?? source.target?.era ?? 'auto';
  const resolvedProfiles = resolveProfiles(sources.workloads, {
    era,
    stages: stageNames(sources.scenario),
    scaleMs,
    report,
    warn,
    transport: naturalTransport(source.target, request),
  });
  const target =
    resolvedTarget === undefined ? undefined : withReplicas(resolvedTarget, source.target?.replicas, resolvedProfiles);
  const profiles =
    target === undefined
      ? resolvedProfiles
      : checkRoutes(target, resolvedProfiles, scenario, isFromCommandLine(request), warn);
  if (source.workload !== undefined && sources.workloads.length === 0 && Object.keys(source.workload).length === 0) {
    scenario.reportAtKey(
      ['workload'],
      'MISSING_KEY',
      'the workload names no profile',
      'such as workload: { low-load: {} }',
    );
  }
  const stages =
    source.stages === undefined ? undefined : resolveStages(source.stages, source.repeat ?? 1, scaleMs, scenario);
  const known = {
    stage: stageNames(sources.scenario),
    profile: sources.workloads.map(({ name }) => name),
    operation: operationNames(sources.workloads),
  };
  const checks = { known, scaleMs, scenario };
  const thresholds = resolveThresholds(source.thresholds ?? [], checks);
  const stopWhen = resolveStopRules(source.stopWhen ?? [], checks);
  if (target !== undefined) checkTransports(target, profiles, scenario);
  checkStreams(profiles, scenario);
  if (source.stages !== undefined) checkStageProfiles(source.stages, known.profile, scenario);
  if (stages !== undefined) checkScale(stages, profiles, scenario);
  const faults = stages === undefined ? [] : resolveFaults(source.faults ?? [], { stages, scaleMs, scenario });
  const limits = limitsPlan(source);
  if (stages !== undefined && limits !== undefined) checkLimits(profiles, stages, limits, scenario);
  if (problems.length > 0 || !checked.ok || target === undefined || stages === undefined || limits === undefined)
    return { ok: false, problems };

  const { name, description, seed: ownSeed, repeat: trials, onWorkerLoss, drain } = checked.value;
  const seed = request.seed ?? ownSeed;
  const drainMs = drain ?? Math.max(DRAIN_MS, ...profiles.map((profile) => profile.timeoutMs));
  const load = { seed, profiles, stages, trials, faults, drainMs, limits, stopWhen };
  const rest = { target, thresholds, onWorkerLoss };
  const plan: Plan = {
    planVersion: 1,
    scenario: name,
    description: description ?? '',
    source: { file: sources.file, configHash: configHash(load) },
    ...load,
    ...rest,
    warnings: [...warnings, ...planWarnings({ target, profiles, stages, faults, thresholds, drainMs })],
  };
  return { ok: true, plan: deepFreeze(plan) };
}

/** How profiles that name no transport reach this target, where its kind leaves one way only. */
function naturalTransport(
  target: Partial<ScenarioSource>['target'],
  { configured, targets }: ResolveRequest,
): TransportName | undefined {
  if (configured !== undefined) return configured.transport;
  const started = targets.length === 0 && typeof target?.server === 'object' && target.server.command !== undefined;
  return started ? 'stdio' : undefined;
}

type ProfileContext = Parameters<typeof resolveProfile>[3];

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

/** The rate of a closed loop is the target's doing: there is nothing to scale. */
function checkScale(stages: Plan['stages'], profiles: readonly ProfilePlan[], scenario: SourcePart): void {
  const closed = profiles.filter((profile) => profile.arrivals.model === 'closed').map((profile) => profile.name);
  const scaled = stages.filter((stage) => stage.trial === 1 && stage.scale === 'rate');
  if (closed.length === 0) return;
  for (const stage of scaled) {
    scenario.reportAtValue(
      ['stages', stage.index, 'scale'],
      'CONFLICT',
      `scale: rate needs arrivals, and ${closed.join(', ')} has think time instead`,
      'use scale: clients',
    );
  }
}

function limitsPlan(source: Partial<ScenarioSource>): LimitsPlan | undefined {
  if (source.limits === undefined) return undefined;
  const { clients, rate, duration, bytes } = source.limits;
  return { clients, ratePerSecond: rate, durationMs: duration, bytes };
}

/** Read from the source, so that checks can be held against names even when other keys of a stage are wrong. */
function stageNames(scenario: MapNode): readonly string[] {
  return items(child(scenario, 'stages')).flatMap((item) => nameOf(item) ?? []);
}

function operationNames(workloads: readonly Workload[]): readonly string[] {
  const operations = workloads.flatMap(({ node }) => items(child(node, 'operations')));
  return [...new Set(operations.flatMap((operation) => operationName(operation) ?? []))];
}

function operationName(operation: SourceNode): string | undefined {
  for (const key of ['name', 'tool', 'prompt', 'resource', 'subscribe']) {
    const found = child(operation, key);
    if (found?.kind === 'scalar' && typeof found.value === 'string') return found.value;
  }
  const list = child(operation, 'list');
  if (list?.kind === 'scalar') return `${String(list.value)}/list`;
  return child(operation, 'ping') === undefined ? undefined : 'ping';
}

function items(node: SourceNode | undefined): readonly SourceNode[] {
  return node?.kind === 'list' ? node.items : [];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * Whether the plan stays inside its limits. What cannot be known before (bytes, closed loops without think time)
 * workers enforce.
 */

function checkLimits(
  profiles: readonly ProfilePlan[],
  stages: readonly StagePlan[],
  limits: LimitsPlan,
  scenario: SourcePart,
): void {
  const exceeded = (key: string, path: string, asked: string, limit: string) => {
    const at = scenario.has(['limits', key]) ? ['limits', key] : [path];
    scenario.reportAtKey(
      at,
      'LIMIT_EXCEEDED',
      `the scenario asks for ${asked}; the limit is ${limit}`,
      `if this is meant, raise limits.${key}`,
    );
  };
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  if (clients > limits.clients) exceeded('clients', 'workload', `${clients} clients`, String(limits.clients));
  const rates = stages.map((stage) => profiles.reduce((sum, profile) => sum + (peakRate(stage, profile) ?? 0), 0));
  const rate = Math.max(...rates);
  if (rate > limits.ratePerSecond * (1 + 1e-9))
    exceeded('rate', 'workload', formatRate(rate), formatRate(limits.ratePerSecond));
  const durationMs = totalDurationMs({ stages });
  if (durationMs > limits.durationMs)
    exceeded('duration', 'stages', formatDuration(durationMs), formatDuration(limits.durationMs));
}
