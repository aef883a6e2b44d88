import { parseSize } from '../go/numbers.js';
import type {
  ComposeDeploy,
  ComposeLimits,
  ComposeReservations,
  ComposeRestartPolicy,
  ComposeUpdateConfig,
} from '../model.js';
import type { MapValue } from '../source/value.js';
import {
  choiceOf,
  countOf,
  durationOf,
  type LoadContext,
  listOf,
  locatedTextOf,
  mapOf,
  pairsOf,
  ratioOf,
  textOf,
  textsOf,
  valueAt,
  wholeOf,
} from './read.js';

export function loadDeploy(service: MapValue, servicePath: string, context: LoadContext): ComposeDeploy {
  const { findings } = context;
  const deploy = mapOf(service, 'deploy');
  const path = `${servicePath}.deploy`;
  const placement = mapOf(deploy, 'placement');
  const resources = mapOf(deploy, 'resources');
  const replicas = countOf(deploy, 'replicas', path, findings);
  const replicasAt = valueAt(deploy, 'replicas')?.at;
  return {
    mode: locatedTextOf(deploy, 'mode'),
    replicas: replicas === undefined || replicasAt === undefined ? undefined : { value: replicas, at: replicasAt },
    endpointMode: choiceOf(deploy, 'endpoint_mode', ['vip', 'dnsrr'], path, findings),
    labels: pairsOf(deploy, 'labels'),
    limits: loadLimits(mapOf(resources, 'limits'), `${path}.resources.limits`, context),
    reservations: loadReservations(mapOf(resources, 'reservations'), `${path}.resources.reservations`, context),
    restartPolicy: loadRestartPolicy(mapOf(deploy, 'restart_policy'), `${path}.restart_policy`, context),
    updateConfig: loadUpdateConfig(mapOf(deploy, 'update_config'), `${path}.update_config`, context, 0),
    // The engine has no limits for the times of a rollback.
    rollbackConfig: loadUpdateConfig(mapOf(deploy, 'rollback_config'), `${path}.rollback_config`, context, undefined),
    constraints: loadConstraints(placement, `${path}.placement`, context),
    spread: listOf(placement, 'preferences')?.items.map((item) =>
      item.kind === 'map' ? (textOf(item, 'spread') ?? '') : '',
    ),
    maxReplicasPerNode: countOf(placement, 'max_replicas_per_node', `${path}.placement`, findings),
  };
}

function loadLimits(map: MapValue | undefined, path: string, context: LoadContext): ComposeLimits | undefined {
  return (
    map && { cpus: locatedTextOf(map, 'cpus'), memoryBytes: loadMemory(map, path, context), pids: wholeOf(map, 'pids') }
  );
}

function loadReservations(
  map: MapValue | undefined,
  path: string,
  context: LoadContext,
): ComposeReservations | undefined {
  if (map === undefined) return undefined;
  const generic = listOf(map, 'generic_resources')?.items.map((item) => {
    const specification = item.kind === 'map' ? mapOf(item, 'discrete_resource_spec') : undefined;
    return specification && { kind: textOf(specification, 'kind'), value: wholeOf(specification, 'value') };
  });
  return { cpus: locatedTextOf(map, 'cpus'), memoryBytes: loadMemory(map, path, context), generic };
}

/** The engine's minimum; 0 sets no limit. */
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;

function loadMemory(map: MapValue, path: string, { findings }: LoadContext): number | undefined {
  const value = valueAt(map, 'memory');
  if (value?.kind !== 'text') return undefined;
  const bytes = parseSize(value.text);
  const refuse = (message: string, hint?: string): void =>
    findings.refuse(value.at, 'INVALID_VALUE', `${path}.memory`, message, hint);
  if (bytes === undefined)
    refuse(`"${value.text}" is not an amount of memory`, 'a number and b, k, m, g or t, as in 512m');
  else if (bytes !== 0 && bytes < MIN_MEMORY_BYTES) refuse(`${value.text} is less than the engine's minimum, 4m`);
  return bytes;
}

function loadRestartPolicy(
  map: MapValue | undefined,
  path: string,
  { findings }: LoadContext,
): ComposeRestartPolicy | undefined {
  return (
    map && {
      condition: choiceOf(map, 'condition', ['none', 'on-failure', 'any'], path, findings),
      delayNs: durationOf(map, 'delay', path, findings, 0),
      maxAttempts: countOf(map, 'max_attempts', path, findings),
      windowNs: durationOf(map, 'window', path, findings, 0),
    }
  );
}

function loadUpdateConfig(
  map: MapValue | undefined,
  path: string,
  { findings }: LoadContext,
  minNs: number | undefined,
): ComposeUpdateConfig | undefined {
  return (
    map && {
      parallelism: countOf(map, 'parallelism', path, findings),
      delayNs: durationOf(map, 'delay', path, findings, minNs),
      failureAction: choiceOf(map, 'failure_action', ['pause', 'continue', 'rollback'], path, findings),
      monitorNs: durationOf(map, 'monitor', path, findings, minNs),
      maxFailureRatio: ratioOf(map, 'max_failure_ratio', path, findings),
      order: textOf(map, 'order'),
    }
  );
}

function loadConstraints(
  placement: MapValue | undefined,
  path: string,
  { findings }: LoadContext,
): readonly string[] | undefined {
  listOf(placement, 'constraints')?.items.forEach((item, index) => {
    const problem = item.kind === 'text' ? constraintProblem(item.text) : undefined;
    if (problem === undefined) return;
    findings.refuse(item.at, 'INVALID_VALUE', `${path}.constraints[${index}]`, problem, 'as in: node.role == manager');
  });
  return textsOf(placement, 'constraints');
}

// Facts: moby/swarmkit, manager/constraint.
const CONSTRAINT_KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const CONSTRAINT_VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** Why the text is not a placement constraint; undefined when it is one, whether or not any node meets it. */
export function constraintProblem(text: string): string | undefined {
  for (const operator of ['==', '!=']) {
    const [key = '', value, ...rest] = text.split(operator);
    if (value === undefined) continue;
    if (!CONSTRAINT_KEY.test(key.trim())) return `"${key.trim()}" cannot be the left side of a constraint`;
    const right = [value, ...rest].join(operator).trim();
    return CONSTRAINT_VALUE.test(right) ? undefined : `"${right}" cannot be the right side of a constraint`;
  }
  return `"${text}" has neither == nor !=`;
}
