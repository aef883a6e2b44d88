import { nonEmpty, omitEmpty } from '../go/omit-empty.js';
import type { ComposeMount, ComposeService } from '../model.js';
import { scoped, withStack } from '../stack-names.js';
import type { Mount, VolumeOptions } from '../swarm-types.js';
import { type ConvertContext, refuseUndefined } from './context.js';

type OptionBlock = 'bind' | 'volume' | 'tmpfs';

/** The option blocks that each type of mount takes. */
const OPTION_BLOCKS = {
  volume: ['volume'],
  bind: ['bind'],
  tmpfs: ['tmpfs'],
  npipe: ['bind'],
  image: [],
  cluster: [],
} as const satisfies Readonly<Record<string, readonly OptionBlock[]>>;

type MountType = keyof typeof OPTION_BLOCKS;
const TYPES = Object.keys(OPTION_BLOCKS) as readonly MountType[];

export function convertMounts(service: ComposeService, context: ConvertContext): readonly Mount[] {
  return (service.volumes ?? []).map((mount, index) => {
    const path = `services.${service.name}.volumes[${index}]`;
    const type = mount.type === '' ? 'volume' : TYPES.find((each) => each === mount.type);
    if (type === undefined) {
      const message = `unknown mount type "${mount.type}"`;
      context.findings.refuse(mount.at, 'INVALID_VALUE', path, message, `the types are ${TYPES.join(', ')}`);
    } else refuseForeignOptions(mount, type, path, context);
    return omitEmpty<Mount>({
      ...NO_OPTIONS,
      Type: mount.type,
      Target: mount.target,
      ReadOnly: mount.readOnly,
      Consistency: mount.consistency,
      ...(type === undefined ? {} : partsOfType(mount, type, path, context)),
    });
  });
}

function refuseForeignOptions(mount: ComposeMount, type: MountType, path: string, { findings }: ConvertContext): void {
  const own: readonly OptionBlock[] = OPTION_BLOCKS[type];
  for (const block of ['bind', 'volume', 'tmpfs'] as const) {
    if (mount[block] === undefined || own.includes(block)) continue;
    findings.refuse(mount.at, 'CONFLICT', path, `${block} options do not go with a mount of type ${type}`);
  }
}

const NO_OPTIONS = {
  Source: undefined,
  BindOptions: undefined,
  VolumeOptions: undefined,
  TmpfsOptions: undefined,
  ClusterOptions: undefined,
};

type MountParts = { readonly [K in keyof typeof NO_OPTIONS]?: Mount[K] | undefined };

function partsOfType(mount: ComposeMount, type: MountType, path: string, context: ConvertContext): MountParts {
  switch (type) {
    case 'volume':
      return namedVolume(mount, path, context);
    case 'tmpfs':
      if (mount.source !== undefined)
        context.findings.refuse(mount.at, 'CONFLICT', path, 'a tmpfs mount cannot have a source');
      return { Source: mount.source, TmpfsOptions: mount.tmpfs && omitEmpty({ SizeBytes: mount.tmpfs.sizeBytes }) };
    case 'bind':
    case 'npipe':
    case 'image':
      requireSource(mount, path, context);
      return { Source: mount.source, BindOptions: mount.bind && omitEmpty({ Propagation: mount.bind.propagation }) };
    case 'cluster':
      requireSource(mount, path, context);
      return { Source: clusterSource(mount, path, context), ClusterOptions: {} };
  }
}

/** Without a source it is an anonymous volume, and its options are lost. */
function namedVolume(mount: ComposeMount, path: string, context: ConvertContext): MountParts {
  if (mount.source === undefined) {
    if (mount.volume !== undefined)
      context.findings.warn(mount.at, 'IGNORED', path, 'volume options are ignored without a source');
    return {};
  }
  const volume = context.model.volumes.get(mount.source);
  if (volume === undefined) {
    refuseUndefined('volumes', mount.source, mount.at, path, context);
    return {};
  }
  const { name, external, driver, driverOpts, labels } = volume;
  const hasDriver = driver !== undefined || driverOpts !== undefined;
  const ownDriver = hasDriver ? omitEmpty({ Name: driver, Options: nonEmpty(driverOpts) }) : undefined;
  return {
    Source: name ?? scoped(context.stack, mount.source),
    VolumeOptions: omitEmpty<VolumeOptions>({
      NoCopy: mount.volume?.noCopy,
      Subpath: mount.volume?.subpath,
      Labels: external ? undefined : withStack(context.stack, labels),
      DriverConfig: external ? undefined : ownDriver,
    }),
  };
}

/** A volume group (`group:NAME`) is named as it is and defined nowhere. */
function clusterSource(mount: ComposeMount, path: string, context: ConvertContext): string | undefined {
  if (mount.source === undefined || mount.source.startsWith('group:')) return mount.source;
  const volume = context.model.volumes.get(mount.source);
  if (volume === undefined) refuseUndefined('volumes', mount.source, mount.at, path, context);
  return volume?.name ?? scoped(context.stack, mount.source);
}

function requireSource(mount: ComposeMount, path: string, { findings }: ConvertContext): void {
  if (mount.source === undefined)
    findings.refuse(mount.at, 'MISSING_KEY', path, `a ${mount.type} mount must have a source`);
}
