/** Networks, volumes, configs and secrets of a file. */

import type { ComposeFileObject, ComposeNetwork, ComposeVolume } from '../model.js';
import type { Position } from '../problem.js';
import type { MapValue, SourceValue } from '../source/value.js';
import { absolutePath, flagOf, type LoadContext, listOf, mapOf, optionsOf, pairsOf, textOf, valueOf } from './read.js';

export function loadNetwork(key: string, at: Position, value: SourceValue, context: LoadContext): ComposeNetwork {
  const network = asMap(value);
  const path = `networks.${key}`;
  const ipam = mapOf(network, 'ipam');
  const external = isExternal(network);
  if (external) warnOfRest(network, path, ['name', 'external'], context);
  return {
    at,
    name: nameOf(key, network, path, context),
    external,
    driver: textOf(network, 'driver'),
    driverOpts: optionsOf(network, 'driver_opts'),
    internal: flagOf(network, 'internal') ?? false,
    attachable: flagOf(network, 'attachable') ?? false,
    ipamDriver: textOf(ipam, 'driver'),
    ipamSubnets:
      listOf(ipam, 'config')?.items.map((pool) => (pool.kind === 'map' ? (textOf(pool, 'subnet') ?? '') : '')) ?? [],
    labels: pairsOf(network, 'labels'),
  };
}

export function loadVolume(key: string, at: Position, value: SourceValue, context: LoadContext): ComposeVolume {
  const volume = asMap(value);
  const path = `volumes.${key}`;
  const external = isExternal(volume);
  const spec = volume?.entries.get('x-cluster-spec');
  if (spec !== undefined)
    context.findings.warn(
      spec.keyAt,
      'IGNORED',
      `${path}.x-cluster-spec`,
      'is ignored: create the cluster volume first',
    );
  const given = {
    driver: textOf(volume, 'driver'),
    driverOpts: optionsOf(volume, 'driver_opts'),
    labels: pairsOf(volume, 'labels'),
  };
  if (external) {
    const conflicts = [
      ['driver', given.driver],
      ['driver_opts', given.driverOpts],
      ['labels', given.labels],
    ] as const;
    for (const [name, conflicting] of conflicts) {
      if (conflicting === undefined || Object.keys(conflicting).length === 0) continue;
      const where = volume?.entries.get(name)?.keyAt ?? at;
      context.findings.refuse(
        where,
        'CONFLICT',
        `${path}.${name}`,
        'cannot be given for an external volume',
        'leave it out, or leave `external` out',
      );
    }
  }
  return { at, name: nameOf(key, volume, path, context), external, ...given };
}

export function loadFileObject(
  kind: 'configs' | 'secrets',
  key: string,
  at: Position,
  value: SourceValue,
  context: LoadContext,
): ComposeFileObject {
  const object = asMap(value);
  const path = `${kind}.${key}`;
  const external = isExternal(object);
  const driver = textOf(object, 'driver');
  const file = textOf(object, 'file');
  if (external) warnOfRest(object, path, ['name', 'external'], context);
  else if (driver !== undefined && file !== undefined) {
    context.findings.refuse(
      object?.entries.get('file')?.keyAt ?? at,
      'CONFLICT',
      path,
      'has both a `driver` and a `file`',
      'keep one of the two',
    );
  }
  return {
    at,
    name: nameOf(key, object, path, context),
    external,
    file: external || file === undefined ? undefined : absolutePath(context.folder, file),
    driver,
    driverOpts: optionsOf(object, 'driver_opts'),
    templateDriver: textOf(object, 'template_driver'),
    labels: pairsOf(object, 'labels'),
  };
}

/** `external: true`, or the older `external: { name: ... }`, even when empty. */
function isExternal(object: MapValue | undefined): boolean {
  return flagOf(object, 'external') ?? mapOf(object, 'external') !== undefined;
}

/** The name to use as it is; undefined: made of stack and key. An external object without a name has its key. */
function nameOf(
  key: string,
  object: MapValue | undefined,
  path: string,
  { findings }: LoadContext,
): string | undefined {
  const name = textOf(object, 'name');
  if (!isExternal(object)) return name;
  const older = textOf(mapOf(object, 'external'), 'name');
  if (older !== undefined && name !== undefined) {
    const at = valueOf(object, 'external')?.at;
    if (at !== undefined)
      findings.refuse(
        at,
        'CONFLICT',
        path,
        'has both `name` and `external.name`',
        'keep `name`, and write `external: true`',
      );
  }
  return older ?? name ?? key;
}

function warnOfRest(
  object: MapValue | undefined,
  path: string,
  used: readonly string[],
  { findings }: LoadContext,
): void {
  for (const [key, { keyAt }] of object?.entries ?? []) {
    if (!used.includes(key) && !key.startsWith('x-'))
      findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is ignored: it is external, and used as it is');
  }
}

function asMap(value: SourceValue): MapValue | undefined {
  return value.kind === 'map' ? value : undefined;
}
