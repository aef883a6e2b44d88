import type { Position } from '../../../../../scenarios/yaml/problem.js';
import { cut } from '../go/text.js';
import type { Lookup } from '../interpolate.js';
import type { ComposeService } from '../model.js';
import type { MapValue } from '../source/value.js';
import { absolutePath, type LoadContext, nullablePairsOf, valueAt } from './read.js';

type Variables = readonly (readonly [string, string | null])[];

/**
 * Variables of a service: its env files in order, then `environment`. One that is empty, or named without a value,
 * takes the value that it has where the stack is deployed, if it has one there.
 */
export function loadEnvironment(service: MapValue, path: string, context: LoadContext): ComposeService['environment'] {
  const own = Object.entries(nullablePairsOf(service, 'environment') ?? {});
  const all: Variables = [...envFileVariables(service, path, context), ...own];
  return Object.fromEntries(
    all.map(([name, value]) => [name, value === null || value === '' ? (context.lookup(name) ?? value) : value]),
  );
}

function envFileVariables(service: MapValue, path: string, context: LoadContext): Variables {
  const value = valueAt(service, 'env_file');
  if (value?.kind === 'text') return readVariables(value.text, value.at, `${path}.env_file`, context);
  if (value?.kind !== 'list') return [];
  return value.items.flatMap((file, index) =>
    file.kind === 'text' ? readVariables(file.text, file.at, `${path}.env_file[${index}]`, context) : [],
  );
}

function readVariables(file: string, at: Position, path: string, context: LoadContext): Variables {
  const { folder, lookup, readFile, findings } = context;
  const full = absolutePath(folder, file);
  const content = readFile(full);
  if (content.kind === 'unreadable') {
    findings.refuse(at, 'FILE', path, `cannot read ${full}: ${content.reason}`);
    return [];
  }
  const parsed = parseEnvFile(content.bytes, lookup);
  if (parsed.kind === 'variables') return [...parsed.variables];
  const wrongAt = { file: full, line: parsed.line, column: 1 };
  findings.refuse(wrongAt, 'FILE', path, `line ${parsed.line} of the env file ${parsed.message}`);
  return [];
}

type EnvFile =
  | { readonly kind: 'variables'; readonly variables: ReadonlyMap<string, string> }
  | { readonly kind: 'wrong'; readonly line: number; readonly message: string };

/** The longest line that the CLI reads (Go's bufio.MaxScanTokenSize). */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * `KEY=value` lines, without quotes, escapes and interpolation. A key without `=` takes its value from `lookup`, and is
 * left out if there is none. Facts: docker/cli 28, pkg/kvfile.
 */
export function parseEnvFile(bytes: Uint8Array, lookup: Lookup): EnvFile {
  const variables = new Map<string, string>();
  const text = decode(bytes);
  if (text === undefined) return { kind: 'wrong', line: 1, message: 'is not UTF-8 text' };
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '').replace(/^\s+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const problem = lineProblem(line, raw);
    if (problem !== undefined) return { kind: 'wrong', line: index + 1, message: problem };
    const [key, given] = cut(line, '=');
    const value = given ?? lookup(key);
    if (value !== undefined) variables.set(key, value);
  }
  return { kind: 'variables', variables };
}

function lineProblem(line: string, raw: string): string | undefined {
  if (Buffer.byteLength(raw) >= MAX_LINE_BYTES) return 'is longer than 64 KiB';
  const [key] = cut(line, '=');
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
