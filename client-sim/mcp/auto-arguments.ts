import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import { isObject } from './json-value.js';

type Schema = Readonly<Record<string, unknown>>;

export type GeneratedArguments =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly problem: string };

/**
 * Arguments for a tool, generated from its `inputSchema` (JSON Schema 2020-12). Only required members are generated,
 * from `const`, `default`, `examples` or `enum` if there is one, else as small values that are drawn anew for each
 * call. A schema with a keyword for which no value is certainly valid (`pattern`, `not`, `if`, ...) is refused.
 */
export function argumentsFor(inputSchema: unknown): GeneratedArguments {
  try {
    const template = new ArgumentsGenerator(inputSchema).value(inputSchema, '$', 0);
    return { ok: true, template };
  } catch (error) {
    if (error instanceof NoValidValue) return { ok: false, problem: error.message };
    throw error;
  }
}

/**
 * The arguments of a prompt are all text (MCP, `PromptArgument`).
 * @param listed the `arguments` of its entry in prompts/list
 */
export function argumentsForPrompt(listed: unknown): GeneratedArguments {
  const required = list(listed)
    .filter(isObject)
    .filter(({ required: must }) => must === true);
  return {
    ok: true,
    template: { kind: 'object', entries: required.map(({ name }) => [String(name), randomText()] as const) },
  };
}

/** No value can certainly be valid; the message says where and why. */
class NoValidValue extends Error {}

/** How deep objects may be nested; a schema that requires more refers to itself endlessly. */
const MAX_DEPTH = 16;
const MAX_ITEMS = 100;
const UNSUPPORTED = [
  'not',
  'if',
  'contains',
  'dependentRequired',
  'dependentSchemas',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
];

class ArgumentsGenerator {
  constructor(private readonly root: unknown) {}

  value(schemaValue: unknown, at: string, depth: number): Template {
    if (depth > MAX_DEPTH) throw new NoValidValue(`${at} is nested deeper than ${MAX_DEPTH} levels`);
    if (schemaValue === true) return randomText();
    if (!isObject(schemaValue)) throw new NoValidValue(`${at} allows no value`);
    const schema = this.resolved(schemaValue, at, depth);
    const fixed = fixedValue(schema);
    if (fixed !== undefined) return fixed;
    const unsupported = UNSUPPORTED.find((key) => schema[key] !== undefined);
    if (unsupported !== undefined)
      throw new NoValidValue(`${at} has \`${unsupported}\`, for which no value is generated`);
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(alternatives)) return this.firstAlternative(schema, alternatives, at, depth);
    switch (typeOf(schema)) {
      case 'object':
        return this.object(schema, at, depth);
      case 'array':
        return this.array(schema, at, depth);
      case 'integer':
        return numberFor(schema, at, true);
      case 'number':
        return numberFor(schema, at, false);
      case 'boolean':
        return constantOf(false);
      case 'null':
        return constantOf(null);
      default:
        return stringFor(schema, at);
    }
  }

  /** Follows the reference of a schema and merges its `allOf`. */
  private resolved(schema: Schema, at: string, depth: number): Schema {
    let resolved = schema;
    for (let hops = 0; typeof resolved.$ref === 'string'; hops++) {
      if (hops > MAX_DEPTH) throw new NoValidValue(`${at} refers to itself`);
      const { $ref, ...rest } = resolved;
      resolved = merge(this.referred(String($ref), at), rest, at);
    }
    const parts = resolved.allOf;
    if (!Array.isArray(parts)) return resolved;
    const { allOf: _all, ...rest } = resolved;
    return parts.reduce(
      (merged: Schema, part: unknown) => merge(merged, this.resolved(isObject(part) ? part : {}, at, depth + 1), at),
      rest,
    );
  }

  private referred(reference: string, at: string): Schema {
    if (!reference.startsWith('#')) throw new NoValidValue(`${at} refers to ${reference}, which is not in this schema`);
    let found: unknown = this.root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) || Array.isArray(found) ? (found as Record<string, unknown>)[key] : undefined;
    }
    if (!isObject(found)) throw new NoValidValue(`${at} refers to ${reference}, which does not exist`);
    return found;
  }

  /** A value of the first alternative for which one can be generated. */
  private firstAlternative(schema: Schema, alternatives: readonly unknown[], at: string, depth: number): Template {
    const { anyOf: _any, oneOf: _one, ...rest } = schema;
    // A value that fits two branches of `oneOf` is invalid.
    if (schema.oneOf !== undefined && alternatives.length > 1 && !areDisjoint(alternatives))
      throw new NoValidValue(`${at} has a \`oneOf\` whose branches may overlap`);
    let problem = `${at} has no alternative`;
    for (const alternative of alternatives) {
      try {
        return this.value(
          merge(rest, this.resolved(isObject(alternative) ? alternative : {}, at, depth), at),
          at,
          depth + 1,
        );
      } catch (error) {
        if (!(error instanceof NoValidValue)) throw error;
        problem = error.message;
      }
    }
    throw new NoValidValue(problem);
  }

  private object(schema: Schema, at: string, depth: number): Template {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const required = list(schema.required).filter((name): name is string => typeof name === 'string');
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    const fewest = countOr(schema.minProperties, 0);
    const names = [...required, ...optional.slice(0, Math.max(0, fewest - required.length))];
    if (names.length < fewest) throw new NoValidValue(`${at} requires more members than it names`);
    const unnamed = schema.additionalProperties;
    return {
      kind: 'object',
      entries: names.map((name) => {
        const member = Object.hasOwn(properties, name) ? properties[name] : (unnamed ?? true);
        if (!Object.hasOwn(properties, name) && schema.patternProperties !== undefined)
          throw new NoValidValue(`${at}.${name} is described by \`patternProperties\` only`);
        return [name, this.value(member, `${at}.${name}`, depth + 1)] as const;
      }),
    };
  }

  private array(schema: Schema, at: string, depth: number): Template {
    const prefix = list(schema.prefixItems);
    const items = schema.items;
    const fewest = countOr(schema.minItems, 0);
    const most = Math.min(countOr(schema.maxItems, MAX_ITEMS), items === false ? prefix.length : MAX_ITEMS);
    const length = Math.min(most, Math.max(1, fewest));
    if (length < fewest) throw new NoValidValue(`${at} requires ${fewest} items`);
    if (schema.uniqueItems === true && length > 1) throw new NoValidValue(`${at} requires ${length} different items`);
    return {
      kind: 'array',
      items: Array.from({ length }, (_, index) =>
        this.value(prefix[index] ?? items ?? true, `${at}[${index}]`, depth + 1),
      ),
    };
  }
}

/** A value that the schema itself gives. */
function fixedValue(schema: Schema): Template | undefined {
  if (schema.const !== undefined) return constantOf(schema.const);
  if (schema.default !== undefined) return constantOf(schema.default);
  const [example] = list(schema.examples);
  if (example !== undefined) return constantOf(example);
  const choices = list(schema.enum);
  const texts = choices.filter((choice): choice is string => typeof choice === 'string');
  if (texts.length > 0) return { kind: 'string', parts: [{ name: 'pick', items: texts }] };
  return choices.length > 0 ? constantOf(choices[0]) : undefined;
}

const NUMBER_KEYWORDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'];

function typeOf(schema: Schema): string {
  const { type } = schema;
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return String(type.find((name) => name !== 'null') ?? 'null');
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  return NUMBER_KEYWORDS.some((key) => schema[key] !== undefined) ? 'number' : 'string';
}

const ANNOTATIONS = [
  'title',
  'description',
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'deprecated',
  'readOnly',
  'writeOnly',
];

/**
 * A schema that requires what both require.
 * @throws NoValidValue when they have different values for a key that cannot be merged
 */
function merge(a: Schema, b: Schema, at: string): Schema {
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined || ANNOTATIONS.includes(key) || JSON.stringify(before) === JSON.stringify(value))
      merged[key] = value;
    else if (key === 'required') merged[key] = [...new Set([...list(before), ...list(value)])];
    else if (key === 'properties' && isObject(before) && isObject(value))
      merged[key] = mergeProperties(before, value, at);
    else throw new NoValidValue(`${at} is described twice, with different \`${key}\``);
  }
  return merged;
}

function mergeProperties(a: Record<string, unknown>, b: Record<string, unknown>, at: string): Record<string, unknown> {
  const merged = { ...a };
  for (const [name, schema] of Object.entries(b)) {
    const before = merged[name];
    merged[name] = isObject(before) && isObject(schema) ? merge(before, schema, `${at}.${name}`) : schema;
  }
  return merged;
}

/** Branches of different types, or with a `const` each, cannot hold both. */
function areDisjoint(branches: readonly unknown[]): boolean {
  const kinds = branches.map(kindOf);
  const plain = kinds.every((kind) => typeof kind === 'string');
  const mixed =
    kinds.some((kind) => typeof kind === 'string' && kind.startsWith('=')) &&
    kinds.some((kind) => typeof kind === 'string' && !kind.startsWith('='));
  const numbers = kinds.includes('integer') && kinds.includes('number');
  return plain && !mixed && !numbers && new Set(kinds).size === kinds.length;
}

function kindOf(branch: unknown): unknown {
  if (!isObject(branch)) return undefined;
  return branch.const === undefined ? branch.type : `=${JSON.stringify(branch.const)}`;
}

const TEXT_LENGTH = 12;
const INT_SPAN = 100;
/** The largest number that every JSON parser reads exactly. */
const MAX_INT = Number.MAX_SAFE_INTEGER;

function numberFor(schema: Schema, at: string, whole: boolean): Template {
  const above = finite(schema.exclusiveMinimum);
  const below = finite(schema.exclusiveMaximum);
  const lowest = Math.max(finite(schema.minimum) ?? -Infinity, above ?? -Infinity);
  const highest = Math.min(finite(schema.maximum) ?? Infinity, below ?? Infinity);
  const step = finite(schema.multipleOf);
  if (step !== undefined) {
    const from = Number.isFinite(lowest) ? lowest : Math.min(0, highest);
    for (const multiple of [0, 1, 2].map((more) => (Math.ceil(from / step) + more) * step)) {
      if (
        multiple >= lowest &&
        multiple <= highest &&
        multiple !== above &&
        multiple !== below &&
        (!whole || Number.isInteger(multiple))
      )
        return constantOf(multiple);
    }
    throw new NoValidValue(`${at}: its range has no multiple of ${step}`);
  }
  const min = Number.isFinite(lowest)
    ? Math.ceil(lowest) + (above !== undefined && above === Math.ceil(lowest) ? 1 : 0)
    : Math.min(1, Math.floor(highest) - INT_SPAN);
  const top = Number.isFinite(highest)
    ? Math.floor(highest) - (below !== undefined && below === Math.floor(highest) ? 1 : 0)
    : Infinity;
  const max = Math.min(top, min + INT_SPAN, MAX_INT);
  if (min <= max && min >= -MAX_INT) return { kind: 'number', draw: { name: 'int', min, max } };
  const middle = (lowest + highest) / 2;
  if (!whole && middle >= lowest && middle <= highest && middle !== above && middle !== below)
    return constantOf(middle);
  throw new NoValidValue(`${at}: its range has no ${whole ? 'whole number' : 'number'}`);
}

/** Text that is valid for each format, whatever is drawn. */
const FORMATS: Readonly<Record<string, readonly (string | Placeholder)[]>> = {
  uuid: [{ name: 'uuid' }],
  'date-time': ['2026-01-01T00:00:00Z'],
  date: ['2026-01-01'],
  time: ['00:00:00Z'],
  duration: ['PT1S'],
  email: [{ name: 'int', min: 1_000, max: 9_999 }, '@example.com'],
  'idn-email': [{ name: 'int', min: 1_000, max: 9_999 }, '@example.com'],
  hostname: ['example.com'],
  'idn-hostname': ['example.com'],
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
  uri: ['https://example.com/', { name: 'int', min: 1_000, max: 9_999 }],
  'uri-reference': ['/', { name: 'int', min: 1_000, max: 9_999 }],
  iri: ['https://example.com/', { name: 'int', min: 1_000, max: 9_999 }],
  'json-pointer': ['/a'],
  regex: ['a'],
};

function stringFor(schema: Schema, at: string): Template {
  const { pattern, format } = schema;
  if (typeof pattern === 'string')
    throw new NoValidValue(`${at} has the pattern ${pattern} and neither default nor example`);
  const min = countOr(schema.minLength, 0);
  const max = countOr(schema.maxLength, Infinity);
  if (max < min) throw new NoValidValue(`${at}: minLength is more than maxLength`);
  if (typeof format !== 'string') return randomText(Math.min(max, Math.max(min, TEXT_LENGTH)));
  const parts = FORMATS[format];
  if (parts === undefined) throw new NoValidValue(`${at} has the unknown format ${format}`);
  const length = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  if (length < min || length > max) throw new NoValidValue(`${at}: no ${format} of that length is generated`);
  return { kind: 'string', parts };
}

/** Length of a part of `FORMATS`: the numbers there have four digits. */
function lengthOf(part: string | Placeholder): number {
  if (typeof part === 'string') return part.length;
  return part.name === 'int' ? 4 : 36;
}

function randomText(length = TEXT_LENGTH): Template {
  return length === 0 ? constantOf('') : { kind: 'string', parts: [{ name: 'text', length }] };
}

function constantOf(value: unknown): Template {
  return { kind: 'constant', json: JSON.stringify(value) };
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function countOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
