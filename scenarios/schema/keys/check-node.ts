/** From what zod found to problems with a place, the nearest known word and the kind of value that was expected. */
import type { core } from 'zod';
import { suggest } from '../../yaml/nearest.js';
import {
  child,
  descend,
  keyPositionOf,
  kindOf,
  type Path,
  positionOf,
  type SourceNode,
  toValue,
} from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import { type Problem, pathText } from '../source-part.js';
import { knownKeys } from './describe-keys.js';

type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** @param prefix path of `node` in the scenario, for the problems' `path` */
export function checkNode<T>(schema: core.$ZodType<T>, node: SourceNode, prefix: string): Checked<T> {
  const result = schema['~standard'].validate(toValue(node));
  if (result instanceof Promise) throw new Error('scenario schemas are synchronous');
  if (result.issues === undefined) return { ok: true, value: result.value };
  const issues = result.issues as readonly core.$ZodIssue[];
  return { ok: false, problems: issues.flatMap((issue) => toProblems({ schema, node, prefix }, issue, [])) };
}

interface Context {
  readonly schema: core.$ZodType;
  readonly node: SourceNode;
  readonly prefix: string;
}

function toProblems(context: Context, issue: core.$ZodIssue, base: Path): readonly Problem[] {
  const path = [...base, ...(issue.path as Path)];
  if (issue.code === 'invalid_union')
    return branchIssues(context, issue, path).flatMap((inner) => toProblems(context, inner, path));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(context, path, key));
  const found = descend(context.node, path);
  if (found === undefined) return [missingKey(context, path)];
  const at = issue.code === 'invalid_key' ? keyPositionOf(context.node, path) : positionOf(context.node, path);
  return [problemAt(at, 'INVALID_VALUE', where(context, path), ...describe(issue, found))];
}

/** A map is held against the branch for maps, anything else against the first branch: what the writer meant. */
function branchIssues(context: Context, union: core.$ZodIssueInvalidUnion, path: Path): readonly core.$ZodIssue[] {
  const found = descend(context.node, path);
  const rootCodes = new Set<string>(['invalid_type', 'invalid_value', 'invalid_format']);
  const fits = (issues: readonly core.$ZodIssue[]) =>
    !issues.some((issue) => issue.path.length === 0 && rootCodes.has(issue.code));
  const first = union.errors[0] ?? [];
  return found?.kind === 'scalar' ? first : (union.errors.find(fits) ?? first);
}

function unknownKey(context: Context, path: Path, key: string): Problem {
  const at = keyPositionOf(context.node, [...path, key]);
  const known = knownKeys(context.schema, path) ?? [];
  return problemAt(
    at,
    'UNKNOWN_KEY',
    where(context, [...path, key]),
    `unknown key \`${key}\``,
    suggest(key, known, 'keys here'),
  );
}

function missingKey(context: Context, path: Path): Problem {
  const key = String(path.at(-1) ?? '');
  const parent = path.slice(0, -1);
  const at = positionOf(context.node, parent);
  const typo = nearUnknown(context, parent, key);
  return problemAt(at, 'MISSING_KEY', where(context, path), `missing key \`${key}\``, typo);
}

/** A required key that is missing beside an unknown one is most often one mistake, not two. */
function nearUnknown(context: Context, parent: Path, key: string): string | undefined {
  const map = descend(context.node, parent);
  const known = knownKeys(context.schema, parent) ?? [];
  if (map?.kind !== 'map') return undefined;
  const unknown = [...map.entries.keys()].find(
    (name) => !known.includes(name) && suggest(name, [key], '').startsWith('did you'),
  );
  return unknown === undefined ? undefined : `there is an unknown key \`${unknown}\` beside it`;
}

function describe(issue: core.$ZodIssue, found: SourceNode): readonly [message: string, hint?: string | undefined] {
  switch (issue.code) {
    case 'invalid_type': {
      const own = issue.message.startsWith('Invalid input')
        ? `expected ${typeNames[issue.expected] ?? issue.expected}`
        : issue.message;
      return [found.kind === 'scalar' && own !== issue.message ? `${own}, not ${kindOf(found)}` : own];
    }
    case 'invalid_value': {
      if (!issue.message.startsWith('Invalid ')) return [issue.message];
      const values = issue.values.map(String);
      const written = found.kind === 'scalar' ? String(found.value) : kindOf(found);
      return [`\`${written}\` is not one of: ${values.join(', ')}`, closest(written, values)];
    }
    case 'too_small':
      return [
        issue.message.startsWith('Too small')
          ? `must be at least ${issue.minimum}, not ${kindOf(found)}`
          : issue.message,
      ];
    case 'too_big':
      return [`must be at most ${issue.maximum}, not ${kindOf(found)}`];
    case 'invalid_key':
      return [issue.issues[0]?.message ?? issue.message];
    default:
      return [issue.message];
  }
}

function closest(written: string, values: readonly string[]): string | undefined {
  const hint = suggest(written, values, '');
  return hint.startsWith('did you') ? hint : undefined;
}

const typeNames: Partial<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

function where(context: Context, path: Path): string {
  const inside = pathText(context.node, path);
  return [context.prefix, inside].filter((part) => part !== '').join('.');
}

/** Values of a map's keys that pass on their own, so that checks between keys can go on when other keys are wrong. */
export function validParts<T extends Record<string, unknown>>(
  schema: core.$ZodType<T> & { readonly shape: Readonly<Record<string, core.$ZodType>> },
  node: SourceNode,
): Partial<T> {
  const parts: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(schema.shape)) {
    const value = child(node, key);
    const checked = part['~standard'].validate(value === undefined ? undefined : toValue(value));
    if (!(checked instanceof Promise) && checked.issues === undefined) parts[key] = checked.value;
  }
  return parts as Partial<T>;
}
