import { posix } from 'node:path';
import type { ComposeMount } from '../model.js';
import type { Position } from '../problem.js';
import type { MapValue, SourceValue } from '../source/value.js';
import { absolutePath, flagOf, isWindowsAbsolute, type LoadContext, listOf, mapOf, textOf, wholeOf } from './read.js';

export function loadMounts(service: MapValue, path: string, context: LoadContext): readonly ComposeMount[] | undefined {
  return listOf(service, 'volumes')?.items.flatMap((item, index) => {
    const at = `${path}.volumes[${index}]`;
    const mount = item.kind === 'map' ? readLongMount(item) : readShortMount(item, at, context);
    return mount === undefined ? [] : [mount.type === 'bind' ? withPath(mount, at, context) : mount];
  });
}

function readLongMount(item: MapValue): ComposeMount {
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

function readShortMount(item: SourceValue, path: string, context: LoadContext): ComposeMount | undefined {
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

/** Short mounts: `[source:]target[:options]`. Facts: docker/cli 28, cli/compose/loader/volume.go. */

interface ShortMount {
  readonly type: 'volume' | 'bind';
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation: string | undefined;
  readonly unknownOptions: readonly string[];
}

type ParsedMount = ShortMount | { readonly type: 'wrong'; readonly message: string };

const PROPAGATIONS = ['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'];

export function parseMountSpec(spec: string): ParsedMount {
  if (spec === '') return { type: 'wrong', message: 'is empty' };
  if (Buffer.byteLength(spec) <= 2) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: spec };
  const sections = split(spec);
  if (sections.includes(''))
    return { type: 'wrong', message: `"${spec}" has nothing between two colons, or before or after one` };
  if (sections.length > 3) return { type: 'wrong', message: `"${spec}" has too many colons` };
  const [first = '', target, options = ''] = sections;
  if (target === undefined) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: first };
  return { ...readOptions(options), type: isPath(first) ? 'bind' : 'volume', source: first, target };
}

const NO_OPTIONS = { readOnly: false, noCopy: false, propagation: undefined, unknownOptions: [] };

/** At colons, but not at the one of a drive letter. */
function split(spec: string): readonly string[] {
  const sections = [''];
  for (const character of spec) {
    const current = sections.at(-1) ?? '';
    if (character === ':' && !/^\p{L}$/u.test(current)) sections.push('');
    else sections[sections.length - 1] = current + character;
  }
  return sections;
}

function readOptions(text: string): Omit<ShortMount, 'type' | 'source' | 'target'> {
  const options = text === '' ? [] : text.split(',');
  const access = options.findLast((option) => option === 'ro' || option === 'rw');
  return {
    readOnly: access === 'ro',
    noCopy: options.includes('nocopy'),
    propagation: options.findLast((option) => PROPAGATIONS.includes(option)),
    unknownOptions: options.filter((option) => !['ro', 'rw', 'nocopy', ...PROPAGATIONS].includes(option)),
  };
}

function isPath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}
