/**
 * Finds out whether an update would change a service. An update that changes nothing must not be sent, because the
 * engine would forget the previous spec of the service.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceSpec } from '../compose/swarm-types.js';
import type { Service } from '../engine/answers.js';

/**
 * Whether sending `wanted` would change nothing; false when in doubt.
 * @param wanted as it would be sent
 * @param networkIds by name: the engine replaces names with ids when it stores a spec
 */
export function wouldBeSame(
  wanted: ServiceSpec,
  current: Service['Spec'],
  networkIds: ReadonlyMap<string, string>,
): boolean {
  const networks = wanted.TaskTemplate.Networks?.map((network) => ({
    ...network,
    Target: networkIds.get(network.Target) ?? network.Target,
  }));
  const resolved = { ...wanted, TaskTemplate: { ...wanted.TaskTemplate, Networks: networks } };
  return sameSpec(resolved, current);
}

export function sameSpec(one: object, other: object): boolean {
  return isDeepStrictEqual(essence(one), essence(other));
}

/** Values that engines store by default, and that we read where they store nothing. */
const defaults: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['Runtime', 'container'],
  ['Isolation', 'default'],
  ['TTY', false],
  ['NoNewPrivileges', false],
  ['Condition', 'any'],
  ['MaxAttempts', 0],
  ['FailureAction', 'pause'],
  ['Order', 'stop-first'],
  ['Protocol', 'tcp'],
  ['PublishMode', 'ingress'],
  ['Replicas', 1],
]);

/** Maps whose keys are the user's own. */
const maps: ReadonlySet<string> = new Set(['Labels', 'Options', 'DriverOpts', 'Sysctls']);

/**
 * To the engine, absent, null, empty and the default are the same, except in a mode, which has a meaning when empty.
 */
function essence(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => essence(item) ?? null);
  if (typeof value !== 'object' || value === null)
    return value === null || value === '' || defaults.get(key) === value ? undefined : value;
  if (key === 'Mode')
    return Object.entries(value)
      .filter(([, mode]) => mode !== undefined)
      .map(([name, mode]) => [name, essence(mode)]);
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const rest = maps.has(key) ? (inner as unknown) : essence(inner, name);
    return rest === undefined ? [] : [[name, rest] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
