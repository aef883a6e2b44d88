import { nonEmpty, omitEmpty } from '../go/omit-empty.js';
import type { ComposeMount, ComposeService } from '../model.js';
import type { Mount, VolumeOptions } from '../swarm-types.js';
import { type ConvertContext, scoped, withStack } from './context.js';

export function convertMounts(service: ComposeService, context: ConvertContext): readonly Mount[] {
  return (service.volumes ?? []).map((mount, index) => {
    const path = `services.${service.name}.volumes[${index}]`;
    refuseForeignOptions(mount, path, context);
    return convertMount(mount, path, context);
  });
}

const TYPES = ['volume', 'bind', 'tmpfs', 'npipe', 'image', 'cluster'] as const;
type MountType = (typeof TYPES)[number];

/** Which of the option blocks `bind`, `volume` and `tmpfs` each type takes. */
const OPTIONS: Readonly<Record<MountType, readonly ('bind' | 'volume' | 'tmpfs')[]>> = {
  volume: ['volume'],
  bind: ['bind'],
  tmpfs: ['tmpfs'],
  npipe: ['bind'],
  image: [],
  cluster: [],
};

function typeOf(mount: ComposeMount): MountType | undefined {
  return mount.type === '' ? 'volume' : TYPES.find((type) => type === mount.type);
}

function refuseForeignOptions(mount: ComposeMount, path: string, { findings }: ConvertContext): void {
  const type = typeOf(mount);
  if (type === undefined) return;
  for (const block of ['bind', 'volume', 'tmpfs'] as const) {
    if (mount[block] === undefined || OPTIONS[type].includes(block)) continue;
    findings.refuse(mount.at, 'CONFLICT', path, `${block} options do not go with a mount of type ${type}`);
  }
}

function convertMount(mount: ComposeMount, path: string, context: ConvertContext): Mount {
  const { findings } = context;
  const common = { Type: mount.type, Target: mount.target, ReadOnly: mount.readOnly, Consistency: mount.consistency };
  const type = typeOf(mount);
  switch (type) {
    case 'volume':
      return omitEmpty<Mount>({ ...EMPTY, ...common, ...namedVolume(mount, path, context) });
    case 'tmpfs':
      if (mount.source !== undefined) findings.refuse(mount.at, 'CONFLICT', path, 'a tmpfs mount has no source');
      return omitEmpty<Mount>({
        ...EMPTY,
        ...common,
        Source: mount.source,
        TmpfsOptions: mount.tmpfs && omitEmpty({ SizeBytes: mount.tmpfs.sizeBytes }),
      });
    case 'bind':
    case 'npipe':
    case 'image':
      requireSource(mount, path, context);
      return omitEmpty<Mount>({
        ...EMPTY,
        ...common,
        Source: mount.source,
        BindOptions: mount.bind && omitEmpty({ Propagation: mount.bind.propagation }),
      });
    case 'cluster':
      requireSource(mount, path, context);
      return omitEmpty<Mount>({ ...EMPTY, ...common, Source: clusterSource(mount, path, context), ClusterOptions: {} });
    case undefined:
      findings.refuse(
        mount.at,
        'INVALID_VALUE',
        path,
        `there is no mount of type "${mount.type}"`,
        `the types are ${TYPES.join(', ')}`,
      );
      return omitEmpty<Mount>({ ...EMPTY, ...common });
  }
}

const EMPTY = {
  Source: undefined,
  BindOptions: undefined,
  VolumeOptions: undefined,
  TmpfsOptions: undefined,
  ClusterOptions: undefined,
};

/** Without a source: an anonymous volume, and its options are lost. */
function namedVolume(
  mount: ComposeMount,
  path: string,
  context: ConvertContext,
): Pick<Mount, 'Source' | 'VolumeOptions'> {
  if (mount.source === undefined) {
    if (mount.volume !== undefined)
      context.findings.warn(mount.at, 'IGNORED', path, 'volume options are ignored without a source');
    return {};
  }
  const volume = context.model.volumes.get(mount.source);
  if (volume === undefined) {
    refuseUndefined(mount, path, context);
    return {};
  }
  const given = { NoCopy: mount.volume?.noCopy, Subpath: mount.volume?.subpath };
  const named = { Source: volume.name ?? scoped(context.stack, mount.source) };
  if (volume.external)
    return {
      ...named,
      VolumeOptions: omitEmpty<VolumeOptions>({ ...given, Labels: undefined, DriverConfig: undefined }),
    };
  const hasDriver = volume.driver !== undefined || volume.driverOpts !== undefined;
  return {
    ...named,
    VolumeOptions: omitEmpty<VolumeOptions>({
      ...given,
      Labels: withStack(context.stack, volume.labels),
      DriverConfig: hasDriver ? omitEmpty({ Name: volume.driver, Options: nonEmpty(volume.driverOpts) }) : undefined,
    }),
  };
}

/** A volume group (`group:NAME`) is named as it is and defined nowhere. */
function clusterSource(mount: ComposeMount, path: string, context: ConvertContext): string | undefined {
  if (mount.source === undefined || mount.source.startsWith('group:')) return mount.source;
  const volume = context.model.volumes.get(mount.source);
  if (volume === undefined) refuseUndefined(mount, path, context);
  return volume?.name ?? scoped(context.stack, mount.source);
}

function requireSource(mount: ComposeMount, path: string, { findings }: ConvertContext): void {
  if (mount.source === undefined)
    findings.refuse(mount.at, 'MISSING_KEY', path, `a ${mount.type} mount must have a source`);
}

function refuseUndefined(mount: ComposeMount, path: string, { findings, model }: ConvertContext): void {
  const known = [...model.volumes.keys()];
  const hint = known.length === 0 ? `add it: volumes: { ${mount.source}: {} }` : `the volumes are ${known.join(', ')}`;
  findings.refuse(mount.at, 'UNDEFINED', path, `the volume "${mount.source}" is not defined`, hint);
}
