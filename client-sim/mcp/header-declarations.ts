import type { HeaderPlan } from '../../scenarios/schema/plan.js';
import { isObject } from './json-value.js';

type HeaderDeclarations =
  | { readonly ok: true; readonly headers: readonly HeaderPlan[] }
  | { readonly ok: false; readonly problem: string };

const KEYWORD = 'x-mcp-header';
const PREFIX = 'mcp-param-';
const TYPES: readonly unknown[] = ['string', 'integer', 'boolean'];
/** `1*tchar` (RFC 9110, 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Keywords of JSON Schema that hold one schema or a list of them. No path of `properties` leads below them. */
const SCHEMAS = [
  'items',
  'prefixItems',
  'additionalItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
  'contentSchema',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
];
/** How many steps of a path a message shows. */
const MAX_SHOWN = 20;
/** Keywords that hold schemas by name. */
const NAMED_SCHEMAS = ['patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'];

interface Place {
  readonly schema: unknown;
  /** A link and not a path: the paths of a deep schema would take the square of its depth. */
  readonly above: Place | undefined;
  readonly key: string;
  readonly reachable: boolean;
}

/**
 * The headers that a tool declares for its arguments (2026-07-28, Streamable HTTP, "Custom Headers from Tool
 * Parameters"). A client must not use a tool with an invalid declaration.
 */
export function headerDeclarations(inputSchema: unknown): HeaderDeclarations {
  const headers: HeaderPlan[] = [];
  const names = new Set<string>();
  // A list instead of recursion, because the server chooses how deep the schema is.
  const places: Place[] = [{ schema: inputSchema, above: undefined, key: '', reachable: true }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { schema } = place;
    if (!isObject(schema)) continue;
    if (KEYWORD in schema) {
      const path = pathTo(place);
      const problem = problemOf(schema, place, names);
      if (problem !== undefined)
        return { ok: false, problem: `${path.slice(0, MAX_SHOWN).join('.') || 'the schema itself'}: ${problem}` };
      const name = `${PREFIX}${String(schema[KEYWORD]).toLowerCase()}`;
      names.add(name);
      headers.push({ name, path });
    }
    places.push(...below(schema, place));
  }
  return { ok: true, headers };
}

function problemOf(
  schema: Readonly<Record<string, unknown>>,
  { above, reachable }: Place,
  names: ReadonlySet<string>,
): string | undefined {
  const { [KEYWORD]: name, type } = schema;
  if (!reachable || above === undefined)
    return `${KEYWORD} is only allowed on a property that \`properties\` alone lead to`;
  if (typeof name !== 'string' || !TOKEN.test(name))
    return `${KEYWORD} ${JSON.stringify(name)} is not a valid name of an HTTP header`;
  if (!TYPES.includes(type)) {
    const actual = type === undefined ? 'a property without a type' : JSON.stringify(type);
    return `${KEYWORD} is only allowed on a string, an integer or a boolean, not on ${actual}`;
  }
  if (names.has(PREFIX + name.toLowerCase())) return `${KEYWORD} ${JSON.stringify(name)} occurs twice`;
  return undefined;
}

function below(schema: Readonly<Record<string, unknown>>, above: Place): Place[] {
  const { properties } = schema;
  const places: Place[] = isObject(properties)
    ? Object.entries(properties).map(([key, child]) => ({ schema: child, above, key, reachable: above.reachable }))
    : [];
  const hidden = (key: string, child: unknown): void =>
    void places.push({ schema: child, above, key, reachable: false });
  for (const key of SCHEMAS) for (const child of key in schema ? [schema[key]].flat() : []) hidden(key, child);
  for (const key of NAMED_SCHEMAS)
    for (const child of isObject(schema[key]) ? Object.values(schema[key]) : []) hidden(key, child);
  // In the order of the schema, so that the first invalid declaration is reported.
  return places.reverse();
}

function pathTo(place: Place): string[] {
  const path: string[] = [];
  for (let at = place; at.above !== undefined; at = at.above) path.push(at.key);
  return path.reverse();
}
