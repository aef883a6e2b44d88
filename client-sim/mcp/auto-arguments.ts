import type { Template } from '../../scenarios/schema/template.js';
import { constant, count, number, type Schema, string, text, Unmakeable } from './auto-scalars.js';
import { isObject } from './judge-message.js';

/**
 * Arguments for a tool, made from its `inputSchema` (JSON Schema 2020-12), drawn anew for each call where the schema
 * leaves room: required members only, `const`, `default`, `examples` and `enum` before invention, small values before
 * large. What cannot be made valid for certain (`pattern`, `not`, `if`, ...) is said and not guessed.
 */
export type MadeArguments =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly problem: string };

export function argumentsFor(inputSchema: unknown): MadeArguments {
  try {
    const template = new Maker(inputSchema).value(inputSchema, '$', 0);
    return { ok: true, template };
  } catch (error) {
    if (error instanceof Unmakeable) return { ok: false, problem: error.message };
    throw error;
  }
}

/**
 * Arguments of a prompt are text, all of them (MCP, `PromptArgument`). @param listed `arguments` of its entry in
 * prompts/list
 */
export function argumentsForPrompt(listed: unknown): MadeArguments {
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
    if (depth > MAX_DEPTH) throw new Unmakeable(`${at} is nested deeper than ${MAX_DEPTH} levels`);
    if (written === true) return text();
    if (!isObject(written)) throw new Unmakeable(`${at} allows nothing`);
    const schema = this.whole(written, at, depth);
    const fixed = given(schema);
    if (fixed !== undefined) return fixed;
    const unsupported = UNSUPPORTED.find((key) => schema[key] !== undefined);
    if (unsupported !== undefined) throw new Unmakeable(`${at} has \`${unsupported}\`, for which no value is made up`);
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
      if (hops > MAX_DEPTH) throw new Unmakeable(`${at} refers to itself`);
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
    if (!reference.startsWith('#')) throw new Unmakeable(`${at} refers to ${reference}, which is not in this schema`);
    let found: unknown = this.root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) || Array.isArray(found) ? (found as Record<string, unknown>)[key] : undefined;
    }
    if (!isObject(found)) throw new Unmakeable(`${at} refers to ${reference}, which is not there`);
    return found;
  }

  /** The first alternative for which a value can be made. */
  private first(schema: Schema, alternatives: readonly unknown[], at: string, depth: number): Template {
    const { anyOf: _any, oneOf: _one, ...rest } = schema;
    // A value of one branch of `oneOf` might fit another, which would make it invalid.
    if (schema.oneOf !== undefined && alternatives.length > 1 && !areApart(alternatives))
      throw new Unmakeable(`${at} has a \`oneOf\` whose branches may overlap`);
    let problem = `${at} has no alternative`;
    for (const alternative of alternatives) {
      try {
        return this.value(
          merge(rest, this.whole(isObject(alternative) ? alternative : {}, at, depth), at),
          at,
          depth + 1,
        );
      } catch (error) {
        if (!(error instanceof Unmakeable)) throw error;
        problem = error.message;
      }
    }
    throw new Unmakeable(problem);
  }

  private object(schema: Schema, at: string, depth: number): Template {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const required = list(schema.required).filter((name): name is string => typeof name === 'string');
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    const names = [...required, ...optional.slice(0, Math.max(0, count(schema.minProperties, 0) - required.length))];
    if (names.length < count(schema.minProperties, 0)) throw new Unmakeable(`${at} demands more members than it names`);
    const unnamed = schema.additionalProperties;
    return {
      kind: 'object',
      entries: names.map((name) => {
        const member = Object.hasOwn(properties, name) ? properties[name] : (unnamed ?? true);
        if (!Object.hasOwn(properties, name) && schema.patternProperties !== undefined)
          throw new Unmakeable(`${at}.${name} is described by \`patternProperties\` only`);
        return [name, this.value(member, `${at}.${name}`, depth + 1)] as const;
      }),
    };
  }

  private array(schema: Schema, at: string, depth: number): Template {
    const prefix = list(schema.prefixItems);
    const items = schema.items;
    const most = Math.min(count(schema.maxItems, MOST_ITEMS), items === false ? prefix.length : MOST_ITEMS);
    const length = Math.min(most, Math.max(1, count(schema.minItems, 0)));
    if (length < count(schema.minItems, 0)) throw new Unmakeable(`${at} demands ${String(schema.minItems)} items`);
    if (schema.uniqueItems === true && length > 1) throw new Unmakeable(`${at} demands ${length} items that differ`);
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
    else throw new Unmakeable(`${at} is described twice, with different \`${key}\``);
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
