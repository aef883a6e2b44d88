import { posix } from 'node:path';
import { parseDuration, printed } from '../go/numbers.js';
import type { Lookup } from '../interpolate.js';
import type { Located, Pairs } from '../model.js';
import type { Findings } from '../problem.js';
import type { ListValue, MapValue, SourceValue } from '../source/value.js';

/** Typed access to values whose shape has been checked. An empty text counts as absent, as in Go. */

export function valueOf(map: MapValue | undefined, key: string): SourceValue | undefined {
  return map?.entries.get(key)?.value;
}

export function mapOf(map: MapValue | undefined, key: string): MapValue | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'map' ? value : undefined;
}

export function listOf(map: MapValue | undefined, key: string): ListValue | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'list' ? value : undefined;
}

export function textOf(map: MapValue | undefined, key: string): string | undefined {
  return locatedTextOf(map, key)?.value;
}

export function locatedTextOf(map: MapValue | undefined, key: string): Located<string> | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'text' && value.text !== '' ? { value: value.text, at: value.at } : undefined;
}

export function flagOf(map: MapValue | undefined, key: string): boolean | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'flag' ? value.value : undefined;
}

/** Fractions are cut off, as where the CLI takes any number for a whole one. */
export function wholeOf(map: MapValue | undefined, key: string): number | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'integer' || value?.kind === 'float' ? Math.trunc(Number(value.value)) : undefined;
}

export function numberOf(map: MapValue | undefined, key: string): number | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'integer' || value?.kind === 'float' ? Number(value.value) : undefined;
}

/** A whole number that cannot be negative. */
export function countOf(map: MapValue | undefined, key: string, path: string, findings: Findings): number | undefined {
  const value = valueOf(map, key);
  const count = wholeOf(map, key);
  if (value === undefined || count === undefined || count >= 0) return count;
  findings.refuse(value.at, 'INVALID_VALUE', `${path}.${key}`, `cannot be negative, as ${count} is`);
  return undefined;
}

export function durationOf(map: MapValue | undefined, key: string): number | undefined {
  const value = valueOf(map, key);
  return value?.kind === 'text' ? parseDuration(value.text) : undefined;
}

/** A text, or a list of texts. */
export function textsOf(map: MapValue | undefined, key: string): readonly string[] | undefined {
  const value = valueOf(map, key);
  if (value?.kind === 'text') return [value.text];
  return value?.kind === 'list' ? textsIn(value) : undefined;
}

export function textsIn(list: ListValue): readonly string[] {
  return list.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []));
}

/** `KEY: value` or `- KEY=value`; no value is an empty text. */
export function pairsOf(map: MapValue | undefined, key: string): Pairs | undefined {
  const pairs = nullablePairsOf(map, key);
  return pairs && Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name, value ?? '']));
}

/** As `pairsOf`; null where there is no value, not even an empty one. */
export function nullablePairsOf(
  map: MapValue | undefined,
  key: string,
): Readonly<Record<string, string | null>> | undefined {
  const value = valueOf(map, key);
  if (value?.kind === 'map') {
    return Object.fromEntries([...value.entries].map(([name, entry]) => [name, printed(entry.value) ?? null]));
  }
  if (value?.kind !== 'list') return undefined;
  return Object.fromEntries(textsIn(value).map((item) => cut(item, '=')));
}

/** The text before the first separator, and what follows it: null without one. */
export function cut(text: string, separator: string): readonly [string, string | null] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, null] : [text.slice(0, index), text.slice(index + separator.length)];
}

/** Options of a driver: a map only. */
export function optionsOf(map: MapValue | undefined, key: string): Pairs | undefined {
  return mapOf(map, key) && pairsOf(map, key);
}

/** What reading a file needs beside its text. */
export interface LoadContext {
  /** Absolute folder of the first file: relative paths of all files start there. */
  readonly folder: string;
  readonly lookup: Lookup;
  /** Content of a file, or why it cannot be read. */
  readonly readFile: ReadFile;
  readonly findings: Findings;
}

export type ReadFile = (path: string) => FileContent;

export type FileContent =
  | { readonly kind: 'content'; readonly bytes: Uint8Array }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Paths as the CLI resolves them on Linux, where a Windows path may still be meant for a Windows node. */

/** Absolute paths stay as they are; others are joined to `folder` and cleaned. */
export function absolutePath(folder: string, path: string): string {
  if (posix.isAbsolute(path)) return path;
  const joined = posix.join(folder, path);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}

/** `C:\x`, `C:/x` and `\\server\share\x`. */
export function isWindowsAbsolute(path: string): boolean {
  return /^[a-z]:[\\/]/i.test(path) || /^[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*[\\/]/.test(path);
}
