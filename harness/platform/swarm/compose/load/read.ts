/**
 * How the loader reads keys. Values of a kind that the schema refuses are read as absent, and an empty text counts as
 * absent, as in Go.
 */
import { posix } from 'node:path';
import type { Findings } from '../findings.js';
import { parseDuration, printed } from '../go/numbers.js';
import { cut } from '../go/text.js';
import type { Lookup } from '../interpolate.js';
import type { Located, Pairs } from '../model.js';
import { hintForKey } from '../schema/known-keys.js';
import type { ListValue, MapValue, SourceValue } from '../source/value.js';

/** All that loading needs besides the text of a file. */
export interface LoadContext {
  /** Absolute folder of the first file: relative paths of all files start there. */
  readonly folder: string;
  readonly lookup: Lookup;
  readonly readFile: ReadFile;
  readonly findings: Findings;
}

/** @param path absolute */
export type ReadFile = (path: string) => FileContent;

export type FileContent =
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | { readonly kind: 'unreadable'; readonly reason: string };

export function valueAt(map: MapValue | undefined, key: string): SourceValue | undefined {
  return map?.entries.get(key)?.value;
}

export function mapOf(map: MapValue | undefined, key: string): MapValue | undefined {
  const value = valueAt(map, key);
  return value?.kind === 'map' ? value : undefined;
}

export function listOf(map: MapValue | undefined, key: string): ListValue | undefined {
  const value = valueAt(map, key);
  return value?.kind === 'list' ? value : undefined;
}

export function textOf(map: MapValue | undefined, key: string): string | undefined {
  return locatedTextOf(map, key)?.value;
}

export function locatedTextOf(map: MapValue | undefined, key: string): Located<string> | undefined {
  const value = valueAt(map, key);
  return value?.kind === 'text' && value.text !== '' ? { value: value.text, at: value.at } : undefined;
}

/** One of `choices`, in any case of letters. */
export function choiceOf(
  map: MapValue | undefined,
  key: string,
  choices: readonly string[],
  path: string,
  findings: Findings,
): string | undefined {
  const text = locatedTextOf(map, key);
  if (text !== undefined && !choices.includes(text.value.toLowerCase())) {
    const message = `must be ${choices.join(' or ')}, not "${text.value}"`;
    findings.refuse(text.at, 'INVALID_VALUE', `${path}.${key}`, message);
  }
  return text?.value;
}

export function flagOf(map: MapValue | undefined, key: string): boolean | undefined {
  const value = valueAt(map, key);
  return value?.kind === 'flag' ? value.value : undefined;
}

/** The whole part of a number: where the CLI takes any number for a whole one, it cuts off the rest. */
export function wholeOf(map: MapValue | undefined, key: string): number | undefined {
  const value = valueAt(map, key);
  return value?.kind === 'integer' || value?.kind === 'float' ? Math.trunc(Number(value.value)) : undefined;
}

/** A whole number that cannot be negative. */
export function countOf(map: MapValue | undefined, key: string, path: string, findings: Findings): number | undefined {
  const value = valueAt(map, key);
  const count = wholeOf(map, key);
  if (value === undefined || count === undefined || count >= 0) return count;
  findings.refuse(value.at, 'INVALID_VALUE', `${path}.${key}`, `must be 0 or more, not ${count}`);
  return undefined;
}

/** A number from 0 to 1. */
export function ratioOf(map: MapValue | undefined, key: string, path: string, findings: Findings): number | undefined {
  const value = valueAt(map, key);
  if (value?.kind !== 'integer' && value?.kind !== 'float') return undefined;
  const ratio = Number(value.value);
  if (ratio < 0 || ratio > 1)
    findings.refuse(value.at, 'INVALID_VALUE', `${path}.${key}`, `must be from 0 to 1, not ${value.value}`);
  return ratio;
}

/** Nanoseconds. @param minNs the engine's shortest; 0 is always allowed, and means that none is set */
export function durationOf(
  map: MapValue | undefined,
  key: string,
  path: string,
  findings: Findings,
  minNs?: number,
): number | undefined {
  const value = valueAt(map, key);
  if (value?.kind !== 'text') return undefined;
  const ns = parseDuration(value.text);
  const refuse = (message: string, hint?: string): void =>
    findings.refuse(value.at, 'INVALID_VALUE', `${path}.${key}`, message, hint);
  if (ns === undefined) refuse(`"${value.text}" is not a duration`, 'a number and a unit, as in 500ms, 10s or 1m30s');
  else if (minNs !== undefined && ns !== 0 && ns < minNs)
    refuse(minNs === 0 ? 'cannot be negative' : `cannot be shorter than ${minNs / 1e6} ms`);
  return ns;
}

/** A text, or a list of texts. */
export function textsOf(map: MapValue | undefined, key: string): readonly string[] | undefined {
  const value = valueAt(map, key);
  if (value?.kind === 'text') return [value.text];
  return value?.kind === 'list' ? textsIn(value) : undefined;
}

export function textsIn(list: ListValue): readonly string[] {
  return list.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []));
}

/** `KEY: value` or `- KEY=value`; a key without a value has an empty text. */
export function pairsOf(map: MapValue | undefined, key: string): Pairs | undefined {
  const pairs = nullablePairsOf(map, key);
  return pairs && Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name, value ?? '']));
}

/** `KEY: value` or `- KEY=value`; null for a key without a value, which is not the same as an empty one. */
export function nullablePairsOf(
  map: MapValue | undefined,
  key: string,
): Readonly<Record<string, string | null>> | undefined {
  const value = valueAt(map, key);
  if (value?.kind === 'map') {
    return Object.fromEntries([...value.entries].map(([name, entry]) => [name, printed(entry.value) ?? null]));
  }
  if (value?.kind !== 'list') return undefined;
  return Object.fromEntries(textsIn(value).map((item) => cut(item, '=')));
}

/** Options of a driver: a map only. */
export function optionsOf(map: MapValue | undefined, key: string): Pairs | undefined {
  return mapOf(map, key) && pairsOf(map, key);
}

/** Warns of keys that the schema lets pass and that nothing reads. */
export function warnOfUnknown(
  map: MapValue | undefined,
  keys: readonly string[],
  path: string,
  findings: Findings,
): void {
  for (const [key, { keyAt }] of map?.entries ?? []) {
    if (keys.includes(key) || key.startsWith('x-')) continue;
    findings.warn(keyAt, 'IGNORED', `${path}.${key}`, 'is unknown and ignored', hintForKey(key, keys));
  }
}

/**
 * As the CLI resolves paths on Linux, where a Windows path may still be meant for a Windows node: absolute paths stay
 * as they are, others are joined to `folder` and cleaned.
 */
export function absolutePath(folder: string, path: string): string {
  if (posix.isAbsolute(path)) return path;
  const joined = posix.join(folder, path);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}

/** Whether the path is one like `C:\x`, `C:/x` or `\\server\share\x`. */
export function isWindowsAbsolute(path: string): boolean {
  return /^[a-z]:[\\/]/i.test(path) || /^[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*[\\/]/.test(path);
}
