import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import { isObject } from './judge-message.js';

/**
 * Arguments for a tool, made from its `inputSchema` (JSON Schema 2020-12), drawn anew for each call where the schema
 * leaves room: required members only, `const`, `default`, `examples` and `enum` before invention, small values before
 * large. What cannot be made valid for certain (`pattern`, `not`, `if`, ...) is said and not guessed.
 */
export type GeneratedArguments =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly problem: string };

export function argumentsFor(inputSchema: unknown): GeneratedArguments {
  try {
    const template = new Maker(inputSchema).value(inputSchema, '$', 0);
    return { ok: true, template };
  } catch (error) {
    if (error instanceof NoValidValue) return { ok: false, problem: error.message };
    throw error;
  }
}

/**
 * Arguments of a prompt are text, all of them (MCP, `PromptArgument`). @param listed `arguments` of its entry in
 * prompts/list
 */
export function argumentsForPrompt(listed: unknown): GeneratedArguments {
  const required = list(listed)
    .filter(isObject)
    .filter(({ required: must }) => must === true);
  return {
    ok: true,
    template: { kind: 'object', entries: required.map(({ name }) => [String(name), text()] as const) },
  };
}

/** Of an object within objects; a schema that demands more refers to itself without end. */
const MAX_DEPTH = 16;
const MOST_ITEMS = 100;
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

class Maker {
  constructor(private readonly root: unknown) {}

  value(written: unknown, at: string, depth: number): Template {
    if (depth > MAX_DEPTH) throw new NoValidValue(`${at} is nested deeper than ${MAX_DEPTH} levels`);
    if (written === true) return text();
    if (!isObject(written)) throw new NoValidValue(`${at} allows nothing`);
    const schema = this.whole(written, at, depth);
    const fixed = given(schema);
    if (fixed !== undefined) return fixed;
    const unsupported = UNSUPPORTED.find((key) => schema[key] !== undefined);
    if (unsupported !== undefined)
      throw new NoValidValue(`${at} has \`${unsupported}\`, for which no value is made up`);
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(alternatives)) return this.first(schema, alternatives, at, depth);
    switch (typeOf(schema)) {
      case 'object':
        return this.object(schema, at, depth);
      case 'array':
        return this.array(schema, at, depth);
      case 'integer':
        return number(schema, at, true);
      case 'number':
        return number(schema, at, false);
      case 'boolean':
        return constant(false);
      case 'null':
        return constant(null);
      default:
        return string(schema, at);
    }
  }

  /** With its reference followed and its `allOf` put together. */
  private whole(schema: Schema, at: string, depth: number): Schema {
    let whole = schema;
    for (let hops = 0; typeof whole.$ref === 'string'; hops++) {
      if (hops > MAX_DEPTH) throw new NoValidValue(`${at} refers to itself`);
      const { $ref, ...rest } = whole;
      whole = merge(this.referred(String($ref), at), rest, at);
    }
    const parts = whole.allOf;
    if (!Array.isArray(parts)) return whole;
    const { allOf: _all, ...rest } = whole;
    return parts.reduce(
      (sum: Schema, part: unknown) => merge(sum, this.whole(isObject(part) ? part : {}, at, depth + 1), at),
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
    if (!isObject(found)) throw new NoValidValue(`${at} refers to ${reference}, which is not there`);
    return found;
  }

  /** The first alternative for which a value can be made. */
  private first(schema: Schema, alternatives: readonly unknown[], at: string, depth: number): Template {
    const { anyOf: _any, oneOf: _one, ...rest } = schema;
    // A value of one branch of `oneOf` might fit another, which would make it invalid.
    if (schema.oneOf !== undefined && alternatives.length > 1 && !areApart(alternatives))
      throw new NoValidValue(`${at} has a \`oneOf\` whose branches may overlap`);
    let problem = `${at} has no alternative`;
    for (const alternative of alternatives) {
      try {
        return this.value(
          merge(rest, this.whole(isObject(alternative) ? alternative : {}, at, depth), at),
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
    const names = [...required, ...optional.slice(0, Math.max(0, count(schema.minProperties, 0) - required.length))];
    if (names.length < count(schema.minProperties, 0))
      throw new NoValidValue(`${at} demands more members than it names`);
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
    const most = Math.min(count(schema.maxItems, MOST_ITEMS), items === false ? prefix.length : MOST_ITEMS);
    const length = Math.min(most, Math.max(1, count(schema.minItems, 0)));
    if (length < count(schema.minItems, 0)) throw new NoValidValue(`${at} demands ${String(schema.minItems)} items`);
    if (schema.uniqueItems === true && length > 1) throw new NoValidValue(`${at} demands ${length} items that differ`);
    return {
      kind: 'array',
      items: Array.from({ length }, (_, index) =>
        this.value(prefix[index] ?? items ?? true, `${at}[${index}]`, depth + 1),
      ),
    };
  }
}

/** What the schema itself says a right value is. */
function given(schema: Schema): Template | undefined {
  if (schema.const !== undefined) return constant(schema.const);
  if (schema.default !== undefined) return constant(schema.default);
  const [example] = list(schema.examples);
  if (example !== undefined) return constant(example);
  const choices = list(schema.enum);
  const texts = choices.filter((choice): choice is string => typeof choice === 'string');
  if (texts.length > 0) return { kind: 'string', parts: [{ name: 'pick', items: texts }] };
  return choices.length > 0 ? constant(choices[0]) : undefined;
}

function typeOf(schema: Schema): string {
  const { type } = schema;
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return String(type.find((name) => name !== 'null') ?? 'null');
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  return ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'].some(
    (key) => schema[key] !== undefined,
  )
    ? 'number'
    : 'string';
}

/** Both must hold. Only where they say the same thing of one key in different ways is there something to lose. */
function merge(a: Schema, b: Schema, at: string): Schema {
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined || isAnnotation(key) || JSON.stringify(before) === JSON.stringify(value))
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

function isAnnotation(key: string): boolean {
  return [
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
  ].includes(key);
}

/** Branches of different types, or with a `const` each, cannot both hold. */
function areApart(branches: readonly unknown[]): boolean {
  const kinds = branches.map((branch) =>
    isObject(branch) ? (branch.const !== undefined ? `=${JSON.stringify(branch.const)}` : branch.type) : undefined,
  );
  const plain = kinds.every((kind) => typeof kind === 'string');
  const mixed =
    kinds.some((kind) => typeof kind === 'string' && kind.startsWith('=')) &&
    kinds.some((kind) => typeof kind === 'string' && !kind.startsWith('='));
  const numbers = kinds.includes('integer') && kinds.includes('number');
  return plain && !mixed && !numbers && new Set(kinds).size === kinds.length;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Numbers and texts that are valid for a JSON Schema, and what the maker of whole arguments shares with them. */
type Schema = Readonly<Record<string, unknown>>;

/** No value can be made for certain; the message says where and why. */
class NoValidValue extends Error {}

const TEXT_LENGTH = 12;
const INT_SPAN = 100;
/** The largest number that every JSON reader takes as it is. */
const MAX_INT = Number.MAX_SAFE_INTEGER;

function number(schema: Schema, at: string, whole: boolean): Template {
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
        return constant(multiple);
    }
    throw new NoValidValue(`${at}: no multiple of ${step} was found in its range`);
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
  if (!whole && middle >= lowest && middle <= highest && middle !== above && middle !== below) return constant(middle);
  throw new NoValidValue(`${at}: its range holds no ${whole ? 'whole number' : 'number'}`);
}

/** Text of each format that is valid whatever is drawn. */
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

function string(schema: Schema, at: string): Template {
  const { pattern, format } = schema;
  if (typeof pattern === 'string')
    throw new NoValidValue(`${at} has the pattern ${pattern} and neither default nor example`);
  const min = count(schema.minLength, 0);
  const max = count(schema.maxLength, Infinity);
  if (max < min) throw new NoValidValue(`${at}: minLength is more than maxLength`);
  if (typeof format !== 'string') return text(Math.min(max, Math.max(min, TEXT_LENGTH)));
  const parts = FORMATS[format];
  if (parts === undefined) throw new NoValidValue(`${at} has the format ${format}, which is not known here`);
  const length = parts.reduce(
    (sum, part) => sum + (typeof part === 'string' ? part.length : part.name === 'int' ? 4 : 36),
    0,
  );
  if (length < min || length > max) throw new NoValidValue(`${at}: no ${format} of that length is made up`);
  return { kind: 'string', parts };
}

function text(length = TEXT_LENGTH): Template {
  return length === 0 ? constant('') : { kind: 'string', parts: [{ name: 'text', length }] };
}

function constant(value: unknown): Template {
  return { kind: 'constant', json: JSON.stringify(value) };
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}
