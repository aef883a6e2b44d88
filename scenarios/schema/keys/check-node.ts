/** Turns the issues that zod finds into problems with a place, a suggestion and the kind of value expected. */
import type { core } from 'zod';
import { nearest, suggest } from '../../yaml/nearest.js';
import { child, descend, kindOf, type Path, type SourceNode, shortened, toValue } from '../../yaml/node.js';
import type { SourcePart } from '../source-part.js';
import { knownKeys } from './describe-keys.js';

/** @returns the value, or undefined when something is wrong with it, which is reported */
export function checkNode<T>(schema: core.$ZodType<T>, part: SourcePart): T | undefined {
  const result = schema['~standard'].validate(toValue(part.node));
  if (result instanceof Promise) throw new Error('scenario schemas are synchronous');
  if (result.issues === undefined) return result.value;
  for (const issue of result.issues as readonly core.$ZodIssue[]) report({ schema, part }, issue, []);
  return undefined;
}

/** The values of those keys of a map that are right, so that checks can go on when other keys are wrong. */
export function validParts<T extends Record<string, unknown>>(
  schema: core.$ZodType<T> & { readonly shape: Readonly<Record<string, core.$ZodType>> },
  node: SourceNode,
): Partial<T> {
  const parts: Record<string, unknown> = {};
  for (const [key, schemaOfKey] of Object.entries(schema.shape)) {
    const value = child(node, key);
    const checked = schemaOfKey['~standard'].validate(value === undefined ? undefined : toValue(value));
    if (!(checked instanceof Promise) && checked.issues === undefined) parts[key] = checked.value;
  }
  return parts as Partial<T>;
}

interface Context {
  readonly schema: core.$ZodType;
  readonly part: SourcePart;
}

function report(context: Context, issue: core.$ZodIssue, base: Path): void {
  const { part } = context;
  const path = [...base, ...(issue.path as Path)];
  if (issue.code === 'invalid_union') {
    for (const inner of issuesOfBranch(part.node, issue, path)) report(context, inner, path);
    return;
  }
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(context.schema, path) ?? [];
    for (const key of issue.keys) reportUnknownKey(context, path, key, known);
    return;
  }
  const found = descend(part.node, path);
  if (found === undefined) {
    reportMissingKey(context, path);
    return;
  }
  const [message, hint] = describe(issue, found);
  if (issue.code === 'invalid_key') part.reportAtKey(path, 'INVALID_VALUE', message, hint);
  else part.reportAtValue(path, 'INVALID_VALUE', message, hint);
}

/** A map was most likely meant for the branch that takes maps, anything else for the first branch. */
function issuesOfBranch(root: SourceNode, union: core.$ZodIssueInvalidUnion, path: Path): readonly core.$ZodIssue[] {
  const rootCodes = new Set<string>(['invalid_type', 'invalid_value', 'invalid_format']);
  const fits = (issues: readonly core.$ZodIssue[]) =>
    !issues.some((issue) => issue.path.length === 0 && rootCodes.has(issue.code));
  const first = union.errors[0] ?? [];
  return descend(root, path)?.kind === 'scalar' ? first : (union.errors.find(fits) ?? first);
}

function reportUnknownKey({ part }: Context, path: Path, key: string, known: readonly string[]): void {
  const hint = suggest(key, known, 'keys here');
  part.reportAtKey([...path, key], 'UNKNOWN_KEY', `unknown key \`${shortened(key)}\``, hint);
}

function reportMissingKey({ schema, part }: Context, path: Path): void {
  const key = String(path.at(-1) ?? '');
  const typo = likelyTypo(part.node, path.slice(0, -1), key, schema);
  const hint = typo === undefined ? undefined : `there is an unknown key \`${typo}\` beside it`;
  part.reportAtValue(path, 'MISSING_KEY', `missing key \`${key}\``, hint);
}

/** A required key that is missing beside an unknown one is most often one mistake, not two. */
function likelyTypo(root: SourceNode, parent: Path, key: string, schema: core.$ZodType): string | undefined {
  const map = descend(root, parent);
  if (map?.kind !== 'map') return undefined;
  const known = knownKeys(schema, parent) ?? [];
  return [...map.entries.keys()].find((name) => !known.includes(name) && nearest(name, [key]) !== undefined);
}

function describe(issue: core.$ZodIssue, found: SourceNode): readonly [message: string, hint?: string | undefined] {
  switch (issue.code) {
    case 'invalid_type': {
      if (!issue.message.startsWith('Invalid input')) return [issue.message];
      const expected = `expected ${typeNames[issue.expected] ?? issue.expected}`;
      return [found.kind === 'scalar' ? `${expected}, not ${kindOf(found)}` : expected];
    }
    case 'invalid_value': {
      if (!issue.message.startsWith('Invalid ')) return [issue.message];
      const values = issue.values.map(String);
      const written = found.kind === 'scalar' ? String(found.value) : kindOf(found);
      const close = nearest(written, values);
      return [
        `\`${shortened(written)}\` is not one of: ${values.join(', ')}`,
        close === undefined ? undefined : `did you mean "${close}"?`,
      ];
    }
    case 'too_small':
      return [
        issue.message.startsWith('Too small')
          ? `must be at least ${issue.minimum}, not ${kindOf(found)}`
          : issue.message,
      ];
    case 'too_big':
      if (found.kind === 'list') return [`at most ${issue.maximum} items, not ${found.items.length}`];
      return [`must be at most ${issue.maximum}, not ${kindOf(found)}`];
    case 'invalid_key':
      return [issue.issues[0]?.message ?? issue.message];
    default:
      return [issue.message];
  }
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
