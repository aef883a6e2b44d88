import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { argumentsFor } from './auto-arguments.js';
import { compileRequest, renderRequest } from './compile-request.js';

const pinned = { era: 'legacy', version: '2025-11-25', sessions: true } as const;

/** The arguments that are sent, drawn `times` times. */
function drawn(schema: object, times = 5): readonly unknown[] {
  const made = argumentsFor(schema);
  if (!made.ok) throw new Error(made.problem);
  const operation = {
    name: 't',
    method: 'tools/call' as const,
    params: { kind: 'object' as const, entries: [['arguments', made.template] as const] },
    weight: 1,
  };
  const template = compileRequest(operation, 0, pinned);
  return Array.from({ length: times }, (_, sequence) => {
    const request = JSON.parse(renderRequest(template, 1_000_000_000, { seed: 7, slot: 3, sequence })) as {
      params: { arguments: unknown };
    };
    return request.params.arguments;
  });
}

// Own properties only: else a schema for `toString` is applied to the inherited method.
const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true });
function object(properties: object, more: object = {}) {
  return { type: 'object', properties, required: Object.keys(properties), ...more };
}

describe('arguments generated from a schema', () => {
  test('are the required ones and no others', () => {
    expect(
      drawn({ type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } }, required: ['a'] }, 1),
    ).toEqual([{ a: expect.any(Number) }]);
    expect(drawn({ type: 'object' }, 1)).toEqual([{}]);
  });

  test('are drawn anew for each call, the same ones from the same seed', () => {
    const schema = object({
      text: { type: 'string' },
      number: { type: 'integer', minimum: 1, maximum: 1_000_000 },
      id: { type: 'string', format: 'uuid' },
    });
    expect(new Set(drawn(schema, 20).map((value) => JSON.stringify(value))).size).toBe(20);
    expect(drawn(schema, 20)).toEqual(drawn(schema, 20));
  });

  test('prefer the values that the schema itself gives', () => {
    const schema = object({
      a: { const: 5 },
      b: { type: 'string', default: 'x', pattern: '^x$' },
      c: { type: 'number', examples: [2.5] },
      d: { enum: ['on', 'off'] },
      e: { enum: [3, 4] },
    });
    expect(drawn(schema, 1)).toEqual([{ a: 5, b: 'x', c: 2.5, d: expect.stringMatching(/^(on|off)$/), e: 3 }]);
  });

  test.each([
    [
      'references',
      {
        $defs: { size: { type: 'integer', minimum: 3 } },
        ...object({ a: { $ref: '#/$defs/size' }, b: { $ref: '#/$defs/size', maximum: 3 } }),
      },
    ],
    [
      'allOf',
      object({
        a: {
          allOf: [
            { type: 'object', properties: { x: { type: 'integer' } }, required: ['x'] },
            { properties: { y: { type: 'boolean' } }, required: ['y'] },
          ],
        },
      }),
    ],
    [
      'anyOf',
      object({
        a: {
          anyOf: [
            { type: 'string', pattern: '^[0-9]{3}$' },
            { type: 'integer', maximum: -5 },
          ],
        },
      }),
    ],
    ['oneOf', object({ a: { oneOf: [{ type: 'string' }, { type: 'null' }] } })],
    [
      'arrays',
      object({
        a: { type: 'array', items: { type: 'string', maxLength: 2 }, minItems: 3 },
        b: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'boolean' }], items: false, minItems: 2 },
      }),
    ],
    [
      'bounds',
      object({
        a: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
        b: { type: 'integer', exclusiveMinimum: 4, maximum: 5 },
        c: { multipleOf: 7, minimum: 10 },
        d: { type: 'string', minLength: 40 },
      }),
    ],
    [
      'numbers of members',
      object({}, { properties: { a: { type: 'null' }, b: { type: 'integer' } }, required: [], minProperties: 2 }),
    ],
    ['lists of types', object({ a: { type: ['null', 'integer'] } })],
  ])('fit schemas with %s', (_, schema) => {
    const validate = ajv.compile(schema);
    for (const value of drawn(schema)) {
      validate(value);
      expect({ value, errors: validate.errors ?? [] }).toEqual({ value, errors: [] });
    }
  });

  test.each([
    [
      object({ a: { type: 'string', pattern: '^[A-Z]{3}$' } }),
      '$.a has the pattern ^[A-Z]{3}$ and neither default nor example',
    ],
    [object({ a: { type: 'integer', minimum: 5, maximum: 4 } }), '$.a: its range has no whole number'],
    [object({ a: { type: 'string', not: { const: 'x' } } }), '$.a has `not`, for which no value is generated'],
    [
      object({ a: { $ref: 'https://example.com/schema' } }),
      '$.a refers to https://example.com/schema, which is not in this schema',
    ],
    [object({ a: { $ref: '#/$defs/none' } }), '$.a refers to #/$defs/none, which does not exist'],
    [
      object({ a: { oneOf: [{ type: 'integer' }, { type: 'number' }] } }),
      '$.a has a `oneOf` whose branches may overlap',
    ],
    [object({ a: { type: 'array', uniqueItems: true, minItems: 2 } }), '$.a requires 2 different items'],
    [object({ a: false }), '$.a allows no value'],
    [
      { $defs: { node: object({ next: { $ref: '#/$defs/node' } }) }, ...object({ a: { $ref: '#/$defs/node' } }) },
      expect.stringContaining('nested deeper than'),
    ],
    ['text', '$ allows no value'],
  ])('that may be invalid are refused: %j', (schema, problem) => {
    expect(argumentsFor(schema)).toEqual({ ok: false, problem });
  });

  test('are valid for any schema of the kinds that tools have, or are refused', () => {
    const leaf = fc.oneof(
      fc.record(
        { type: fc.constant('string'), minLength: fc.nat(30), maxLength: fc.nat(30) },
        { requiredKeys: ['type'] },
      ),
      fc.record(
        {
          type: fc.constantFrom('integer', 'number'),
          minimum: fc.integer({ min: -50, max: 50 }),
          maximum: fc.integer({ min: -50, max: 50 }),
          exclusiveMinimum: fc.integer({ min: -50, max: 50 }),
          multipleOf: fc.constantFrom(0.5, 2, 3),
        },
        { requiredKeys: ['type'] },
      ),
      fc.record({ enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minLength: 1, maxLength: 3 }) }),
      fc.constantFrom({ type: 'boolean' }, { type: 'null' }, {}, true, { type: ['string', 'null'] }),
    );
    const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc
          .dictionary(
            fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
            tie('schema'),
            { maxKeys: 3 },
          )
          .chain((properties) =>
            fc.subarray(Object.keys(properties)).map((required) => ({ type: 'object', properties, required })),
          ),
        fc.record(
          { type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(3), maxItems: fc.nat(4) },
          { requiredKeys: ['type'] },
        ),
        fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
        fc.array(tie('schema'), { minLength: 1, maxLength: 2 }).map((oneOf) => ({ oneOf })),
      ),
    }));
    let made = 0;
    fc.assert(
      fc.property(schema, (inner) => {
        const whole = object({ a: inner });
        if (!argumentsFor(whole).ok) return;
        made++;
        const validate = ajv.compile(whole);
        for (const value of drawn(whole, 3)) expect({ value, valid: validate(value) }).toEqual({ value, valid: true });
      }),
      { numRuns: 400 },
    );
    expect(made).toBeGreaterThan(200);
  });
});
