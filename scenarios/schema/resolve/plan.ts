/** Parsed sources into the frozen Plan, or everything that is wrong with them. */
import { configHash } from '../config-hash.js';
import { checkNode, validParts } from '../keys/issues.js';
import { refuseInScenario } from '../keys/refusals.js';
import type { ScenarioSource } from '../keys/scenario-schema.js';
import { scenarioSchema } from '../keys/scenario-schema.js';
import type { LimitsPlan, Plan, ProfilePlan } from '../plan.js';
import type { Problem } from '../problem.js';
import type { MapNode, SourceNode } from '../source/node.js';
import { child, nameOf } from '../source/node.js';
import type { TransportName } from '../transports.js';
import { checkStreams } from './check-streams.js';
import { checkTransports } from './check-transports.js';
import { checkWays } from './check-ways.js';
import type { Report } from './context.js';
import { Part } from './context.js';
import { resolveFaults } from './faults.js';
import { checkLimits } from './limits.js';
import { resolveProfile } from './profile.js';
import { withReplicas } from './replicas.js';
import { checkStageProfiles, resolveStages } from './stages.js';
import type { TargetRequest } from './target.js';
import { isByHand, resolveTarget } from './target.js';
import { resolveStopRules, resolveThresholds } from './thresholds.js';
import { planWarnings } from './warnings.js';

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

export interface ResolveRequest extends TargetRequest {
  readonly seed: number | undefined;
  /** Factor on all times that shape the run; 1 leaves them alone. */
  readonly timeScale: number;
}

export type Resolved =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Shortest drain the plan makes for itself. */
const DRAIN_MS = 10_000;

export function resolvePlan(sources: Sources, request: ResolveRequest): Resolved {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const report: Report = (problem) => problems.push(problem);
  const warn = (warning: string) => warnings.push(warning);
  const scenario = new Part(sources.scenario, '', report);
  const scaleMs = (ms: number) => (ms === 0 ? 0 : Math.max(1, Math.round(ms * request.timeScale)));

  refuseInScenario(sources.scenario).forEach(report);
  const checked = checkNode(scenarioSchema, sources.scenario, '');
  if (!checked.ok) checked.problems.forEach(report);
  const source: Partial<ScenarioSource> = checked.ok ? checked.value : validParts(scenarioSchema, sources.scenario);

  const written = resolveTarget(source.target, sources.scenario, request, report, warn);
  const era = request.era ?? source.target?.era ?? 'auto';
  const asked = resolveProfiles(sources.workloads, {
    era,
    stages: stageNames(sources.scenario),
    scaleMs,
    report,
    warn,
    transport: naturalTransport(source.target, request),
  });
  const target = written === undefined ? undefined : withReplicas(written, source.target?.replicas, asked);
  const profiles = target === undefined ? asked : checkWays(target, asked, scenario, isByHand(request), warn);
  if (source.workload !== undefined && sources.workloads.length === 0 && Object.keys(source.workload).length === 0) {
    scenario.wrongKey(
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
function checkScale(stages: Plan['stages'], profiles: readonly ProfilePlan[], scenario: Part): void {
  const closed = profiles.filter((profile) => profile.arrivals.model === 'closed').map((profile) => profile.name);
  const scaled = stages.filter((stage) => stage.trial === 1 && stage.scale === 'rate');
  if (closed.length === 0) return;
  for (const stage of scaled) {
    scenario.wrongValue(
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
