/** `KEY=value` lines. Facts: docker/cli 28, pkg/kvfile: no quotes, no escapes, no interpolation. */
import type { Lookup } from '../interpolate/substitute.js';

type EnvFile =
  | { readonly kind: 'variables'; readonly variables: ReadonlyMap<string, string> }
  | { readonly kind: 'wrong'; readonly line: number; readonly message: string };

/** Longest line that the CLI reads (Go's bufio.MaxScanTokenSize). */
const MAX_LINE_BYTES = 64 * 1024;

/** A key without `=` takes its value from `lookup`, and is left out where that has none. */
export function parseEnvFile(bytes: Uint8Array, lookup: Lookup): EnvFile {
  const variables = new Map<string, string>();
  const lines = decode(bytes)
    ?.replace(/^\uFEFF/, '')
    .split('\n');
  if (lines === undefined) return { kind: 'wrong', line: 1, message: 'is not UTF-8 text' };
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '').replace(/^\s+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const problem = problemOf(line, raw);
    if (problem !== undefined) return { kind: 'wrong', line: index + 1, message: problem };
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const value = equals < 0 ? lookup(key) : line.slice(equals + 1);
    if (value !== undefined) variables.set(key, value);
  }
  return { kind: 'variables', variables };
}

function problemOf(line: string, raw: string): string | undefined {
  if (Buffer.byteLength(raw) >= MAX_LINE_BYTES) return 'is longer than 64 KiB';
  const key = line.split('=', 1)[0] ?? '';
  if (key === '') return 'has no name before the "="';
  return /[ \t]/.test(key) ? `has a name with a space in it: "${key}"` : undefined;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
