import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Placeholder, Template } from '../../scenarios/schema/grammar/template.js';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { FIRST_ID, LAST_ID } from '../protocol/id-ranges.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import { compileRequest, renderRequest } from './compile-request.js';

const LEGACY: PinnedProtocol = { era: 'legacy', version: '2025-11-25', sessions: true };
const MODERN: PinnedProtocol = { era: 'modern', version: '2026-07-28', sessions: false };
const draw = { seed: 7, slot: 3, sequence: 11 };

function operation(params: Template, method: OperationPlan['method'] = 'tools/call'): OperationPlan {
  return { name: 'x', method, params, weight: 1 };
}

function request(
  params: Template,
  protocol = LEGACY,
  drawn = draw,
): { readonly params?: Record<string, unknown>; readonly [key: string]: unknown } {
  return JSON.parse(renderRequest(compileRequest(operation(params), 0, protocol), FIRST_ID, drawn)) as Record<
    string,
    unknown
  >;
}

function drawn(placeholder: Placeholder): Template {
  return { kind: 'object', entries: [['v', { kind: 'string', parts: [placeholder] }]] };
}
function drawnNumber(placeholder: Placeholder): Template {
  return { kind: 'object', entries: [['v', { kind: 'number', draw: placeholder }]] };
}

test('any template of any strings gives the JSON that it describes, in both eras', () => {
  const { template } = fc.letrec<{ template: { readonly template: Template; readonly value: unknown } }>((tie) => ({
    template: fc.oneof(
      { maxDepth: 3 },
      fc.jsonValue().map((value) => ({ template: { kind: 'constant', json: JSON.stringify(value) } as const, value })),
      fc
        .array(fc.string({ unit: 'binary' }))
        .map((parts) => ({ template: { kind: 'string', parts } as const, value: parts.join('') })),
      fc.array(tie('template'), { maxLength: 4 }).map((items) => ({
        template: { kind: 'array', items: items.map((item) => item.template) } as const,
        value: items.map((item) => item.value),
      })),
      fc
        .uniqueArray(fc.tuple(fc.string(), tie('template')), { maxLength: 4, selector: ([key]) => key })
        .map((entries) => ({
          template: {
            kind: 'object',
            entries: entries.map(([key, { template }]) => [key, template] as const),
          } as const,
          value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])),
        })),
    ),
  }));
  fc.assert(
    fc.property(template, fc.constantFrom(LEGACY, MODERN), (one, protocol) => {
      const sent = request({ kind: 'object', entries: [['v', one.template]] }, protocol);
      expect(sent).toMatchObject({ jsonrpc: '2.0', id: FIRST_ID, method: 'tools/call' });
      // Through JSON, because -0 and the like are not JSON.
      expect(sent.params?.v).toEqual(JSON.parse(JSON.stringify(one.value)));
    }),
  );
});

describe('placeholders', () => {
  test.each<[string, Template, unknown]>([
    ['text N is N characters', drawn({ name: 'text', length: 40 }), expect.stringMatching(/^[a-zA-Z0-9 ]{40}$/)],
    [
      'text longer than the prepared block',
      drawn({ name: 'text', length: 200_000 }),
      expect.stringMatching(/^[a-zA-Z0-9 ]{200000}$/),
    ],
    ['text 0 is empty', drawn({ name: 'text', length: 0 }), ''],
    [
      'uuid is a version 4 UUID',
      drawn({ name: 'uuid' }),
      expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    ],
    ['client is the slot', drawnNumber({ name: 'client' }), 3],
    ['seq is the sequence', drawnNumber({ name: 'seq' }), 11],
    ['int between equal bounds', drawnNumber({ name: 'int', min: -5, max: -5 }), -5],
    ['pick escapes as JSON requires', drawn({ name: 'pick', items: ['"größe"\n\\😀'] }), '"größe"\n\\😀'],
    [
      'numbers within text',
      {
        kind: 'object',
        entries: [['v', { kind: 'string', parts: ['client ', { name: 'client' }, '/', { name: 'seq' }] }]],
      },
      'client 3/11',
    ],
  ])('%s', (_name, template, expected) => {
    expect(request(template).params?.v).toEqual(expected);
  });

  test('now is the time of sending', () => {
    const before = Date.now();
    const now = request(drawnNumber({ name: 'now' })).params?.v;
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test('int reaches both bounds and nothing beyond, also above 32 bits', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), fc.nat(), (a, b, sequence) => {
        const min = Math.min(a, b);
        const max = Math.min(Math.max(a, b), min + Number.MAX_SAFE_INTEGER);
        const value = request(drawnNumber({ name: 'int', min, max }), LEGACY, { ...draw, sequence }).params?.v;
        expect(value).toBeGreaterThanOrEqual(min);
        expect(value).toBeLessThanOrEqual(max);
        expect(Number.isSafeInteger(value)).toBe(true);
      }),
    );
    const lowest = { name: 'int', min: -9007199254740981, max: -9007199254740981 } as const;
    expect(request(drawnNumber(lowest), LEGACY, draw).params?.v).toBe(-9007199254740981);
    const seen = new Set(
      Array.from(
        { length: 200 },
        (_, sequence) => request(drawnNumber({ name: 'int', min: 1, max: 3 }), LEGACY, { ...draw, sequence }).params?.v,
      ),
    );
    expect([...seen].sort()).toEqual([1, 2, 3]);
  });

  test('the same draw gives the same bytes; another slot, sequence, seed or place gives others', () => {
    const twice: Template = {
      kind: 'array',
      items: [drawn({ name: 'text', length: 32 }), drawn({ name: 'text', length: 32 })],
    };
    const text = (changed = {}): string =>
      JSON.stringify(request({ kind: 'object', entries: [['v', twice]] }, LEGACY, { ...draw, ...changed }));
    expect(text()).toBe(text());
    expect(
      new Set([text(), text({ slot: 4 }), text({ sequence: 12 }), text({ seed: 8 }), text({ seed: 7 + 2 ** 32 })]).size,
    ).toBe(5);
    const [first, second] = (request({ kind: 'object', entries: [['v', twice]] }).params?.v ?? []) as unknown[];
    expect(first).not.toEqual(second);
  });
});

describe('the request around the parameters', () => {
  test('ids keep their ten digits from the first to the last', () => {
    const template = compileRequest(operation({ kind: 'constant', json: '{"name":"echo"}' }), 0, LEGACY);
    const lengths = [FIRST_ID, FIRST_ID + 1, 1_234_567_890, LAST_ID].map((id) => {
      const text = renderRequest(template, id, draw);
      expect((JSON.parse(text) as { id: number }).id).toBe(id);
      return text.length;
    });
    expect(new Set(lengths).size).toBe(1);
  });

  test('the stateless era adds its _meta and keeps the other keys of the scenario', () => {
    const params: Template = {
      kind: 'constant',
      json: '{"name":"echo","_meta":{"progressToken":5,"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}',
    };
    expect(request(params, MODERN).params).toEqual({
      name: 'echo',
      _meta: {
        progressToken: 5,
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'swarmbench', version: expect.any(String) },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    });
  });

  test('without parameters there is no params member', () => {
    expect(request({ kind: 'constant', json: '{}' })).not.toHaveProperty('params');
    expect(request({ kind: 'object', entries: [] }, MODERN)).toHaveProperty('params._meta');
  });

  test('parameters that are not an object are refused', () => {
    expect(() => compileRequest(operation({ kind: 'array', items: [] }), 0, LEGACY)).toThrow(/must be an object/);
    expect(() => compileRequest(operation({ kind: 'constant', json: '5' }), 0, MODERN)).toThrow(
      'must be an object, not 5',
    );
  });

  test('a body of constant length is its fixed bytes with the drawn values filled in', () => {
    const params: Template = {
      kind: 'object',
      entries: [
        ['größe', { kind: 'string', parts: ['a', { name: 'uuid' }, '-', { name: 'text', length: 33 }] }],
        ['n', { kind: 'constant', json: '[1,2]' }],
      ],
    };
    for (const protocol of [LEGACY, MODERN]) {
      const { fixed, maxBodyBytes, writeBody } = compileRequest(operation(params), 0, protocol);
      for (let sequence = 0; sequence < 50; sequence++) {
        const whole = Buffer.alloc(maxBodyBytes);
        expect(writeBody(whole, 0, LAST_ID - sequence, { ...draw, sequence })).toBe(maxBodyBytes);
        const filled = Buffer.concat([Buffer.alloc(3, 0xee), fixed?.bytes ?? Buffer.alloc(0), Buffer.alloc(3, 0xee)]);
        fixed?.fill(filled, 3, LAST_ID - sequence, { ...draw, sequence });
        expect(filled).toEqual(Buffer.concat([Buffer.alloc(3, 0xee), whole, Buffer.alloc(3, 0xee)]));
      }
    }
  });

  test.each<[string, Template]>([
    ['a number of varying length', drawnNumber({ name: 'seq' })],
    ['a choice', drawn({ name: 'pick', items: ['a', 'bb'] })],
    ['more bytes than are worth a copy', drawn({ name: 'text', length: 4_000 })],
  ])('a body has no fixed bytes with %s', (_name, params) => {
    expect(compileRequest(operation(params), 0, LEGACY).fixed).toBeUndefined();
  });

  test('writing never exceeds the announced bound', () => {
    const params: Template = {
      kind: 'object',
      entries: [
        ['a', { kind: 'number', draw: { name: 'int', min: -(2 ** 52), max: 2 ** 52 } }],
        [
          'b',
          {
            kind: 'string',
            parts: [{ name: 'pick', items: ['x', 'größe 😀'] }, { name: 'uuid' }, { name: 'text', length: 5 }],
          },
        ],
        ['c', { kind: 'number', draw: { name: 'now' } }],
      ],
    };
    const template = compileRequest(operation(params), 0, MODERN);
    for (let sequence = 0; sequence < 500; sequence++) {
      const into = Buffer.alloc(template.maxBodyBytes + 8, 0xff);
      expect(template.writeBody(into, 4, FIRST_ID, { ...draw, sequence })).toBeLessThanOrEqual(template.maxBodyBytes);
      expect([...into.subarray(0, 4), ...into.subarray(-4)].every((byte) => byte === 0xff)).toBe(true);
    }
  });
});
