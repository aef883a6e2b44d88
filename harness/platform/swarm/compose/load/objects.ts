/** Networks, volumes, configs and secrets of a file. */
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { Findings } from '../findings.js';
import type { ComposeFileObject, ComposeNetwork, ComposeVolume } from '../model.js';
import type { MapValue, SourceValue } from '../source/value.js';
import {
  absolutePath,
  flagOf,
  type LoadContext,
  listOf,
  mapOf,
  optionsOf,
  pairsOf,
  textOf,
  valueAt,
  warnOfUnknown,
} from './read.js';

export function loadNetwork(key: string, at: Position, value: SourceValue, { findings }: LoadContext): ComposeNetwork {
  const network = asMap(value);
  const path = `networks.${key}`;
  const ipam = mapOf(network, 'ipam');
  const external = isExternal(network);
  if (external) warnOfUnusedKeys(network, path, findings);
  return {
    at,
    name: nameOf(key, network, path, findings),
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

export function loadVolume(key: string, at: Position, value: SourceValue, { findings }: LoadContext): ComposeVolume {
  const volume = asMap(value);
  const path = `volumes.${key}`;
  const clusterSpec = volume?.entries.get('x-cluster-spec');
  if (clusterSpec !== undefined) {
    const message = 'is ignored: create the cluster volume first';
    findings.warn(clusterSpec.keyAt, 'IGNORED', `${path}.x-cluster-spec`, message);
  }
  const loaded = {
    at,
    name: nameOf(key, volume, path, findings),
    external: isExternal(volume),
    driver: textOf(volume, 'driver'),
    driverOpts: optionsOf(volume, 'driver_opts'),
    labels: pairsOf(volume, 'labels'),
  };
  if (loaded.external) {
    refuseExternal('driver', loaded.driver);
    refuseExternal('driver_opts', loaded.driverOpts);
    refuseExternal('labels', loaded.labels);
  }
  return loaded;

  function refuseExternal(name: string, given: string | object | undefined): void {
    if (given === undefined || Object.keys(given).length === 0) return;
    const keyAt = volume?.entries.get(name)?.keyAt ?? at;
    const message = 'cannot be given for an external volume';
    findings.refuse(keyAt, 'CONFLICT', `${path}.${name}`, message, 'leave it out, or leave `external` out');
  }
}

export function loadFileObject(
  kind: 'configs' | 'secrets',
  key: string,
  at: Position,
  value: SourceValue,
  { folder, findings }: LoadContext,
): ComposeFileObject {
  const object = asMap(value);
  const path = `${kind}.${key}`;
  const external = isExternal(object);
  const driver = textOf(object, 'driver');
  const file = textOf(object, 'file');
  warnOfUnknown(mapOf(object, 'external'), ['name'], `${path}.external`, findings);
  if (external) warnOfUnusedKeys(object, path, findings);
  else if (driver !== undefined && file !== undefined) {
    const fileAt = object?.entries.get('file')?.keyAt ?? at;
    findings.refuse(fileAt, 'CONFLICT', path, 'has both a `driver` and a `file`', 'keep one of the two');
  }
  return {
    at,
    name: nameOf(key, object, path, findings),
    external,
    file: external || file === undefined ? undefined : absolutePath(folder, file),
    driver,
    driverOpts: optionsOf(object, 'driver_opts'),
    templateDriver: textOf(object, 'template_driver'),
    labels: pairsOf(object, 'labels'),
  };
}

function asMap(value: SourceValue): MapValue | undefined {
  return value.kind === 'map' ? value : undefined;
}

/** `external: true`, or the older `external: { name: ... }`, even when empty. */
function isExternal(object: MapValue | undefined): boolean {
  return flagOf(object, 'external') ?? mapOf(object, 'external') !== undefined;
}

/**
 * The given name, which is used as it is; undefined when the name is made of stack and key. An external object without
 * a name has its key for one.
 */
function nameOf(key: string, object: MapValue | undefined, path: string, findings: Findings): string | undefined {
  const name = textOf(object, 'name');
  if (!isExternal(object)) return name;
  const older = textOf(mapOf(object, 'external'), 'name');
  const externalAt = valueAt(object, 'external')?.at;
  if (older !== undefined && name !== undefined && externalAt !== undefined) {
    const message = 'has both `name` and `external.name`';
    findings.refuse(externalAt, 'CONFLICT', path, message, 'keep `name`, and write `external: true`');
  }
  return older ?? name ?? key;
}

function warnOfUnusedKeys(object: MapValue | undefined, path: string, findings: Findings): void {
  for (const [key, { keyAt }] of object?.entries ?? []) {
    if (key === 'name' || key === 'external' || key.startsWith('x-')) continue;
    findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is ignored: an external object is used as it is');
  }
}
