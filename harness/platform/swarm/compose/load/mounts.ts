import { posix } from 'node:path';
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { ComposeMount } from '../model.js';
import type { MapValue, SourceValue } from '../source/value.js';
import {
  absolutePath,
  choiceOf,
  flagOf,
  isWindowsAbsolute,
  type LoadContext,
  listOf,
  mapOf,
  textOf,
  valueAt,
  warnOfUnknown,
  wholeOf,
} from './read.js';

export function loadMounts(service: MapValue, path: string, context: LoadContext): readonly ComposeMount[] | undefined {
  return listOf(service, 'volumes')?.items.flatMap((item, index) => {
    const itemPath = `${path}.volumes[${index}]`;
    const mount = item.kind === 'map' ? longMount(item, itemPath, context) : shortMount(item, itemPath, context);
    if (mount?.type !== 'bind' || mount.source === undefined) return mount ?? [];
    return { ...mount, source: resolveSource(mount.source, mount.at, itemPath, context) };
  });
}

function longMount(item: MapValue, path: string, { findings }: LoadContext): ComposeMount {
  const bind = mapOf(item, 'bind');
  const volume = mapOf(item, 'volume');
  const tmpfs = mapOf(item, 'tmpfs');
  warnOfUnknown(bind, ['propagation'], `${path}.bind`, findings);
  warnOfUnknown(volume, ['nocopy', 'subpath'], `${path}.volume`, findings);
  warnOfUnknown(tmpfs, ['size'], `${path}.tmpfs`, findings);
  const type = textOf(item, 'type') ?? '';
  const source = valueAt(item, 'source');
  if (type === 'bind' && (source === undefined || (source.kind === 'text' && source.text === '')))
    findings.refuse(item.at, 'MISSING_KEY', path, 'a bind mount must have a source');
  return {
    at: item.at,
    type,
    source: textOf(item, 'source'),
    target: textOf(item, 'target'),
    readOnly: flagOf(item, 'read_only') ?? false,
    consistency: textOf(item, 'consistency'),
    bind: bind && { propagation: choiceOf(bind, 'propagation', PROPAGATIONS, `${path}.bind`, findings) },
    volume: volume && { noCopy: flagOf(volume, 'nocopy') ?? false, subpath: textOf(volume, 'subpath') },
    tmpfs: tmpfs && { sizeBytes: wholeOf(tmpfs, 'size') ?? 0 },
  };
}

function shortMount(item: SourceValue, path: string, { findings }: LoadContext): ComposeMount | undefined {
  if (item.kind !== 'text') return undefined;
  const parsed = parseMountSpec(item.text);
  if (parsed.type === 'wrong') {
    const hint = '[source:]target[:ro|rw|nocopy|propagation]';
    findings.refuse(item.at, 'INVALID_VALUE', path, parsed.message, hint);
    return undefined;
  }
  for (const option of parsed.unknownOptions)
    findings.warn(item.at, 'IGNORED', path, `the option "${option}" is ignored`);
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

/** A relative source starts at the folder of the first file, `~` is the home folder of the person who deploys. */
function resolveSource(source: string, at: Position, path: string, context: LoadContext): string {
  const expanded = expandHome(source, at, path, context);
  if (posix.isAbsolute(expanded) || isWindowsAbsolute(expanded)) return expanded;
  return absolutePath(context.folder, expanded);
}

function expandHome(source: string, at: Position, path: string, { lookup, findings }: LoadContext): string {
  if (!source.startsWith('~')) return source;
  const home = lookup('HOME');
  if (home !== undefined) return home + source.slice(1);
  findings.warn(at, 'MISLEADING', path, 'the "~" stays as it is, because HOME is not set');
  return source;
}

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

/** `[source:]target[:options]`. Facts: docker/cli 28, cli/compose/loader/volume.go. */
export function parseMountSpec(spec: string): ParsedMount {
  if (spec === '') return { type: 'wrong', message: 'is empty' };
  if (Buffer.byteLength(spec) <= 2) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: spec };
  const sections = split(spec);
  if (sections.includes(''))
    return { type: 'wrong', message: `"${spec}" has nothing between two colons, or before or after one` };
  if (sections.length > 3) return { type: 'wrong', message: `"${spec}" has too many colons` };
  const [first = '', target, options = ''] = sections;
  if (target === undefined) return { ...NO_OPTIONS, type: 'volume', source: undefined, target: first };
  return { ...parseOptions(options), type: isPath(first) ? 'bind' : 'volume', source: first, target };
}

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

const NO_OPTIONS = { readOnly: false, noCopy: false, propagation: undefined, unknownOptions: [] };

function parseOptions(text: string): Omit<ShortMount, 'type' | 'source' | 'target'> {
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
