/** Variables of a service: its env files in order, then `environment`. */
import { absolutePath } from '../go/paths.js';
import type { ComposeService } from '../model.js';
import type { Position } from '../problem.js';
import type { MapValue } from '../source/value.js';
import type { LoadContext } from './context.js';
import { parseEnvFile } from './env-file.js';
import { nullablePairsOf, valueOf } from './read.js';

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
