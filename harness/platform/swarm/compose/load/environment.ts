import type { Lookup } from '../interpolate.js';
import type { ComposeService } from '../model.js';
import type { Position } from '../problem.js';
import type { MapValue } from '../source/value.js';
import { absolutePath, type LoadContext, nullablePairsOf, valueOf } from './read.js';

/** Variables of a service: its env files in order, then `environment`. */

/**
 * A variable that is empty, or named without a value, takes the one of the environment the deployer runs in, if it has
 * one.
 */
export function loadEnvironment(service: MapValue, path: string, context: LoadContext): ComposeService['environment'] {
  const given = nullablePairsOf(service, 'environment') ?? {};
  const all = [...envFileVariables(service, path, context), ...Object.entries(given)];
  return Object.fromEntries(
    all.map(([name, value]) => [name, value === null || value === '' ? (context.lookup(name) ?? value) : value]),
  );
}

function envFileVariables(
  service: MapValue,
  path: string,
  context: LoadContext,
): readonly (readonly [string, string])[] {
  const value = valueOf(service, 'env_file');
  if (value === undefined) return [];
  const files = value.kind === 'list' ? value.items : [value];
  return files.flatMap((file, index) => {
    if (file.kind !== 'text') return [];
    return readVariables(
      file.text,
      file.at,
      value.kind === 'list' ? `${path}.env_file[${index}]` : `${path}.env_file`,
      context,
    );
  });
}

function readVariables(
  file: string,
  at: Position,
  path: string,
  context: LoadContext,
): readonly (readonly [string, string])[] {
  const full = absolutePath(context.folder, file);
  const content = context.readFile(full);
  if (content.kind === 'unreadable') {
    context.findings.refuse(at, 'FILE', path, `cannot read ${full}: ${content.reason}`);
    return [];
  }
  const parsed = parseEnvFile(content.bytes, context.lookup);
  if (parsed.kind === 'variables') return [...parsed.variables];
  context.findings.refuse(
    { file: full, line: parsed.line, column: 1 },
    'FILE',
    path,
    `line ${parsed.line} of the env file ${parsed.message}`,
  );
  return [];
}

/** `KEY=value` lines. Facts: docker/cli 28, pkg/kvfile: no quotes, no escapes, no interpolation. */

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
    const problem = lineProblem(line, raw);
    if (problem !== undefined) return { kind: 'wrong', line: index + 1, message: problem };
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const value = equals < 0 ? lookup(key) : line.slice(equals + 1);
    if (value !== undefined) variables.set(key, value);
  }
  return { kind: 'variables', variables };
}

function lineProblem(line: string, raw: string): string | undefined {
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
