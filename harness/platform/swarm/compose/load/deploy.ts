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
  countOf,
  durationOf,
  type LoadContext,
  listOf,
  locatedTextOf,
  mapOf,
  numberOf,
  pairsOf,
  textOf,
  textsOf,
  valueOf,
  wholeOf,
} from './read.js';

export function loadDeploy(service: MapValue, servicePath: string, context: LoadContext): ComposeDeploy {
  const deploy = mapOf(service, 'deploy');
  const path = `${servicePath}.deploy`;
  const placement = mapOf(deploy, 'placement');
  const resources = mapOf(deploy, 'resources');
  const replicas = countOf(deploy, 'replicas', path, context.findings);
  const replicasAt = valueOf(deploy, 'replicas')?.at;
  return {
    mode: locatedTextOf(deploy, 'mode'),
    replicas: replicas === undefined || replicasAt === undefined ? undefined : { value: replicas, at: replicasAt },
    endpointMode: textOf(deploy, 'endpoint_mode'),
    labels: pairsOf(deploy, 'labels'),
    limits: limits(mapOf(resources, 'limits'), `${path}.resources.limits`, context),
    reservations: reservations(mapOf(resources, 'reservations'), `${path}.resources.reservations`, context),
    restartPolicy: restartPolicy(mapOf(deploy, 'restart_policy'), `${path}.restart_policy`, context),
    updateConfig: updateConfig(mapOf(deploy, 'update_config'), `${path}.update_config`, context),
    rollbackConfig: updateConfig(mapOf(deploy, 'rollback_config'), `${path}.rollback_config`, context),
    constraints: constraints(placement, `${path}.placement`, context),
    spread: listOf(placement, 'preferences')?.items.map((item) =>
      item.kind === 'map' ? (textOf(item, 'spread') ?? '') : '',
    ),
    maxReplicasPerNode: countOf(placement, 'max_replicas_per_node', `${path}.placement`, context.findings),
  };
}

function limits(map: MapValue | undefined, path: string, context: LoadContext): ComposeLimits | undefined {
  return (
    map && { cpus: locatedTextOf(map, 'cpus'), memoryBytes: memory(map, path, context), pids: wholeOf(map, 'pids') }
  );
}

function reservations(map: MapValue | undefined, path: string, context: LoadContext): ComposeReservations | undefined {
  if (map === undefined) return undefined;
  const generic = listOf(map, 'generic_resources')?.items.map((item) => {
    const specification = item.kind === 'map' ? mapOf(item, 'discrete_resource_spec') : undefined;
    return specification && { kind: textOf(specification, 'kind'), value: wholeOf(specification, 'value') };
  });
  return { cpus: locatedTextOf(map, 'cpus'), memoryBytes: memory(map, path, context), generic };
}

function memory(map: MapValue, path: string, context: LoadContext): number | undefined {
  const value = valueOf(map, 'memory');
  if (value?.kind !== 'text') return undefined;
  const bytes = parseSize(value.text);
  if (bytes === undefined)
    context.findings.refuse(
      value.at,
      'INVALID_VALUE',
      `${path}.memory`,
      `"${value.text}" is no amount of memory`,
      'a number and b, k, m, g or t, as in 512m',
    );
  else if (bytes !== 0 && bytes < MIN_MEMORY_BYTES)
    context.findings.refuse(
      value.at,
      'INVALID_VALUE',
      `${path}.memory`,
      `${value.text} is less than the engine takes, 4m`,
    );
  return bytes;
}

function constraints(
  placement: MapValue | undefined,
  path: string,
  context: LoadContext,
): readonly string[] | undefined {
  listOf(placement, 'constraints')?.items.forEach((item, index) => {
    const problem = item.kind === 'text' ? constraintProblem(item.text) : undefined;
    if (problem !== undefined)
      context.findings.refuse(
        item.at,
        'INVALID_VALUE',
        `${path}.constraints[${index}]`,
        problem,
        'as in: node.role == manager',
      );
  });
  return textsOf(placement, 'constraints');
}

/** The engine's smallest, where it is not 0. */
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;

function restartPolicy(
  map: MapValue | undefined,
  path: string,
  context: LoadContext,
): ComposeRestartPolicy | undefined {
  return (
    map && {
      condition: textOf(map, 'condition'),
      delayNs: durationOf(map, 'delay'),
      maxAttempts: countOf(map, 'max_attempts', path, context.findings),
      windowNs: durationOf(map, 'window'),
    }
  );
}

function updateConfig(map: MapValue | undefined, path: string, context: LoadContext): ComposeUpdateConfig | undefined {
  return (
    map && {
      parallelism: countOf(map, 'parallelism', path, context.findings),
      delayNs: durationOf(map, 'delay'),
      failureAction: textOf(map, 'failure_action'),
      monitorNs: durationOf(map, 'monitor'),
      maxFailureRatio: numberOf(map, 'max_failure_ratio'),
      order: textOf(map, 'order'),
    }
  );
}

/** Placement constraints: `node.role == manager`. Facts: moby/swarmkit, manager/constraint. */

const CONSTRAINT_KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const CONSTRAINT_VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** Undefined when the text is a constraint. Whether any node meets it is another question. */
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
