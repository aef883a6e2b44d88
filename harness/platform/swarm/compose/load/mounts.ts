import { posix } from 'node:path';
import { absolutePath, isWindowsAbsolute } from '../go/paths.js';
import type { ComposeMount } from '../model.js';
import type { Position } from '../problem.js';
import type { MapValue, SourceValue } from '../source/value.js';
import type { LoadContext } from './context.js';
import { parseMountSpec } from './mount-spec.js';
import { flagOf, listOf, mapOf, textOf, wholeOf } from './read.js';

export function loadMounts(service: MapValue, path: string, context: LoadContext): readonly ComposeMount[] | undefined {
  return listOf(service, 'volumes')?.items.flatMap((item, index) => {
    const at = `${path}.volumes[${index}]`;
    const mount = item.kind === 'map' ? long(item) : short(item, at, context);
    return mount === undefined ? [] : [mount.type === 'bind' ? withPath(mount, at, context) : mount];
  });
}

function long(item: MapValue): ComposeMount {
  const bind = mapOf(item, 'bind');
  const volume = mapOf(item, 'volume');
  const tmpfs = mapOf(item, 'tmpfs');
  return {
    at: item.at,
    type: textOf(item, 'type') ?? '',
    source: textOf(item, 'source'),
    target: textOf(item, 'target'),
    readOnly: flagOf(item, 'read_only') ?? false,
    consistency: textOf(item, 'consistency'),
    bind: bind && { propagation: textOf(bind, 'propagation') },
    volume: volume && { noCopy: flagOf(volume, 'nocopy') ?? false, subpath: textOf(volume, 'subpath') },
    tmpfs: tmpfs && { sizeBytes: wholeOf(tmpfs, 'size') ?? 0 },
  };
}

function short(item: SourceValue, path: string, context: LoadContext): ComposeMount | undefined {
  if (item.kind !== 'text') return undefined;
  const parsed = parseMountSpec(item.text);
  if (parsed.type === 'wrong') {
    context.findings.refuse(
      item.at,
      'INVALID_VALUE',
      path,
      parsed.message,
      '[source:]target[:ro|rw|nocopy|propagation]',
    );
    return undefined;
  }
  for (const option of parsed.unknownOptions) {
    context.findings.warn(item.at, 'IGNORED', path, `the option "${option}" is ignored`);
  }
  const { type, source, target, readOnly, noCopy, propagation } = parsed;
  return {
    at: item.at,
    type,
    source,
    target,
    readOnly,
    consistency: undefined,
    bind: propagation === undefined ? undefined : { propagation },
    volume: noCopy ? { noCopy, subpath: undefined } : undefined,
    tmpfs: undefined,
  };
}

/** A relative source starts at the folder of the first file, `~` at the home of whoever deploys. */
function withPath(mount: ComposeMount, path: string, context: LoadContext): ComposeMount {
  if (mount.source === undefined) {
    context.findings.refuse(mount.at, 'MISSING_KEY', path, 'a bind mount must have a source');
    return mount;
  }
  const source = expandHome(mount.source, mount.at, path, context);
  return {
    ...mount,
    source: posix.isAbsolute(source) || isWindowsAbsolute(source) ? source : absolutePath(context.folder, source),
  };
}

function expandHome(source: string, at: Position, path: string, context: LoadContext): string {
  if (!source.startsWith('~')) return source;
  const home = context.lookup('HOME');
  if (home === undefined) {
    context.findings.warn(at, 'SURPRISE', path, 'the "~" stays as it is, because HOME is not set');
    return source;
  }
  return home + source.slice(1);
}
