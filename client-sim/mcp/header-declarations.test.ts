import { describe, expect, test } from '@jest/globals';
import { headerDeclarations } from './header-declarations.js';

function properties(members: Record<string, unknown>): unknown {
  return { type: 'object', properties: members };
}

test('declarations at any depth of properties are found, with the path of their argument', () => {
  const schema = properties({
    region: { type: 'string', 'x-mcp-header': 'Region' },
    where: { type: 'object', properties: { zone: { type: 'integer', 'x-mcp-header': 'Zone' } } },
    'x-mcp-header': { type: 'boolean', 'x-mcp-header': 'Odd-Name' },
    query: { type: 'string', default: { 'x-mcp-header': 'not a schema' } },
  });
  expect(headerDeclarations(schema)).toEqual({
    ok: true,
    headers: [
      { name: 'mcp-param-region', path: ['region'] },
      { name: 'mcp-param-zone', path: ['where', 'zone'] },
      { name: 'mcp-param-odd-name', path: ['x-mcp-header'] },
    ],
  });
});

/** A place below a keyword of JSON Schema, as the keyword holds its schemas. */
function holding(key: string, schema: unknown): unknown {
  if (['oneOf', 'anyOf', 'allOf'].includes(key)) return [schema];
  return ['$defs', 'patternProperties'].includes(key) ? { name: schema } : schema;
}

test.each([undefined, true, {}, { type: 'object' }, properties({ a: true })])('%j declares nothing', (schema) => {
  expect(headerDeclarations(schema)).toEqual({ ok: true, headers: [] });
});

describe('a tool is refused for', () => {
  test.each<[string, unknown, string]>([
    [
      'an empty name',
      properties({ a: { type: 'string', 'x-mcp-header': '' } }),
      'a: x-mcp-header "" is not a valid name',
    ],
    ['a name that is not text', properties({ a: { type: 'string', 'x-mcp-header': true } }), 'not a valid name'],
    ['a space', properties({ a: { type: 'string', 'x-mcp-header': 'My Region' } }), 'not a valid name'],
    ['a colon', properties({ a: { type: 'string', 'x-mcp-header': 'Region:Primary' } }), 'not a valid name'],
    ['a letter beyond ASCII', properties({ a: { type: 'string', 'x-mcp-header': 'Région' } }), 'not a valid name'],
    [
      'a control character',
      properties({ a: { type: 'string', 'x-mcp-header': 'Region\r\nevil: 1' } }),
      'not a valid name',
    ],
    ['an object', properties({ a: { type: 'object', 'x-mcp-header': 'A' } }), 'not on "object"'],
    ['a list', properties({ a: { type: 'array', items: { type: 'string' }, 'x-mcp-header': 'A' } }), 'not on "array"'],
    ['null', properties({ a: { type: 'null', 'x-mcp-header': 'A' } }), 'not on "null"'],
    ['a number', properties({ a: { type: 'number', 'x-mcp-header': 'A' } }), 'not on "number"'],
    ['several types', properties({ a: { type: ['string', 'null'], 'x-mcp-header': 'A' } }), 'not on ["string","null"]'],
    ['no type', properties({ a: { 'x-mcp-header': 'A' } }), 'without a type'],
    [
      'the same name twice',
      properties({ a: { type: 'string', 'x-mcp-header': 'Region' }, b: { type: 'string', 'x-mcp-header': 'Region' } }),
      'b: x-mcp-header "Region" occurs twice',
    ],
    [
      'the same name in another case',
      properties({
        a: { type: 'string', 'x-mcp-header': 'MyField' },
        b: properties({ c: { type: 'string', 'x-mcp-header': 'myfield' } }),
      }),
      'b.c: x-mcp-header "myfield" occurs twice',
    ],
    ['the schema itself', { type: 'string', 'x-mcp-header': 'A' }, 'the schema itself:'],
    ...[
      'items',
      'oneOf',
      'anyOf',
      'allOf',
      'not',
      'if',
      'then',
      'else',
      'additionalProperties',
      '$defs',
      'patternProperties',
    ].map((key): [string, unknown, string] => {
      const inner = properties({ x: { type: 'string', 'x-mcp-header': 'X' } });
      const held = { [key]: holding(key, inner) };
      return [
        `a place below ${key}`,
        properties({ a: { type: 'object', ...held } }),
        'only allowed on a property that `properties` alone lead to',
      ];
    }),
  ])('%s', (_why, schema, problem) => {
    expect(headerDeclarations(schema)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  test('an invalid declaration at any depth, without a stack overflow', () => {
    let schema: unknown = { type: 'array', 'x-mcp-header': 'Deep' };
    for (let depth = 0; depth < 50_000; depth++) schema = { allOf: [schema] };
    expect(headerDeclarations(schema)).toMatchObject({ ok: false });
  });
});
