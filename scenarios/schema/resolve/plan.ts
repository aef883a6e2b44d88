/** Turns parsed sources into the frozen Plan, or finds everything that is wrong with them. */
import { configHash } from '../config-hash.js';
import { phaseNames } from '../grammar/metrics.js';
import { formatDuration, formatRate } from '../grammar/units.js';
import { checkNode, validParts } from '../keys/check-node.js';
import { type ScenarioSource, scenarioSchema } from '../keys/scenario-schema.js';
import { peakRate, totalDurationMs } from '../offered-load.js';
import type { LimitsPlan, Plan, ProfilePlan, StagePlan } from '../plan.js';
import type { Sources, Workload } from '../read-sources.js';
import { type Problem, type ReportProblem, SourcePart } from '../source-part.js';
import { type TransportName, transportOfUrl } from '../transports.js';
import { checkRoutes, checkStreams, checkTransports } from './check-profiles.js';
import { faultNames, resolveFaults } from './faults.js';
import { namesEveryOperation, operationNames } from './operations.js';
import { type ProfileContext, resolveProfile } from './profile.js';
import { checkScale, checkStageProfiles, resolveStages, stageNames } from './stages.js';
import { isFromCommandLine, resolveTarget, type TargetRequest, withReplicas } from './target.js';
import { resolveRules, resolveStopRules, resolveThresholds } from './thresholds.js';
import { planWarnings } from './warnings.js';

interface ResolveRequest extends TargetRequest {
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

export function resolvePlan(sources: Sources, request: ResolveRequest): Resolved {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const report: ReportProblem = (problem) => problems.push(problem);
  const warn = (warning: string) => warnings.push(warning);
  const scenarioPart = new SourcePart(sources.scenario, '', report);
  const scaleMs = (ms: number) => (ms === 0 ? 0 : Math.max(1, Math.round(ms * request.timeScale)));

  const checked = checkNode(scenarioSchema, scenarioPart);
  const source: Partial<ScenarioSource> = checked ?? validParts(scenarioSchema, sources.scenario);

  const resolvedTarget = resolveTarget(source.target, sources.scenario, request, report, warn);
  const resolvedProfiles = resolveProfiles(sources.workloads, {
    era: request.era ?? source.target?.era ?? 'auto',
    stages: stageNames(sources.scenario),
    scaleMs,
    report,
    warn,
    transport: transportOfTarget(source.target, request),
    everyTransport: request.transport,
  });
  const target =
    resolvedTarget === undefined ? undefined : withReplicas(resolvedTarget, source.target?.replicas, resolvedProfiles);
  const profiles =
    target === undefined
      ? resolvedProfiles
      : checkRoutes(target, resolvedProfiles, scenarioPart, isFromCommandLine(request), warn);
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
    ...(namesEveryOperation(nodes) ? { operation: operationNames(nodes) } : {}),
    phase: phaseNames,
    fault: faultNames(source.faults ?? []),
  };
  const checks = { known, scaleMs, scenarioPart };
  const thresholds = resolveThresholds(source.thresholds ?? [], checks);
  const stopWhen = resolveStopRules(source.stopWhen ?? [], checks);
  const compare = source.compare === undefined ? undefined : resolveRules(source.compare, checks);
  if (target !== undefined) checkTransports(target, profiles, scenarioPart);
  checkStreams(profiles, scenarioPart);
  if (source.stages !== undefined) checkStageProfiles(source.stages, known.profile, scenarioPart);
  if (stages !== undefined) checkScale(stages, profiles, scenarioPart);
  const seed = request.seed ?? source.seed ?? 1;
  const faults =
    stages === undefined ? [] : resolveFaults(source.faults ?? [], { stages, scaleMs, scenarioPart, target, seed });
  const limits = limitsPlan(source);
  if (stages !== undefined && limits !== undefined && source.workload !== undefined)
    checkLimits(profiles, stages, limits, scenarioPart);
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
  const load = { seed, profiles, stages, trials, faults, drainMs, limits, stopWhen };
  const plan: Plan = {
    planVersion: 1,
    scenario: name,
    description: description ?? '',
    source: { file: sources.file, configHash: configHash(load) },
    ...load,
    target,
    thresholds,
    ...(compare === undefined ? {} : { compare }),
    ...(quantiles === undefined ? {} : { quantiles: [...new Set(quantiles)].toSorted((a, b) => a - b) }),
    onWorkerLoss,
    preflight: { calls: preflight.calls, timeoutMs: preflight.timeout },
    warnings: [...warnings, ...planWarnings({ target, profiles, stages, faults, thresholds, drainMs })],
  };
  return { ok: true, plan: deepFreeze(plan) };
}

/** The transport of profiles that name none, where the target can be reached over one only. */
function transportOfTarget(
  target: Partial<ScenarioSource>['target'],
  { configured, targets }: ResolveRequest,
): TransportName | undefined {
  const ofConfig =
    configured?.transport ?? (configured?.url === undefined ? undefined : transportOfUrl(configured.url.text));
  if (configured !== undefined) return ofConfig;
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
  const reportExceeded = (key: string, path: string, asked: string, limit: string) => {
    const at = scenarioPart.has(['limits', key]) ? ['limits', key] : [path];
    scenarioPart.reportAtKey(
      at,
      'LIMIT_EXCEEDED',
      `the scenario asks for ${asked}; the limit is ${limit}`,
      `if this is meant, raise limits.${key}`,
    );
  };
  const clients = profiles.reduce((sum, profile) => sum + profile.clients, 0);
  if (clients > limits.clients) reportExceeded('clients', 'workload', `${clients} clients`, String(limits.clients));
  // Every trial has the same stages.
  const once = stages.filter(({ trial }) => trial === 1);
  const rates = once.map((stage) => profiles.reduce((sum, profile) => sum + (peakRate(stage, profile) ?? 0), 0));
  const rate = Math.max(...rates);
  if (rate > limits.ratePerSecond * (1 + 1e-9))
    reportExceeded('rate', 'workload', formatRate(rate), formatRate(limits.ratePerSecond));
  const durationMs = totalDurationMs({ stages });
  if (durationMs > limits.durationMs)
    reportExceeded('duration', 'stages', formatDuration(durationMs), formatDuration(limits.durationMs));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
