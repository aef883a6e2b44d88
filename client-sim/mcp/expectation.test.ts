import { describe, expect, test } from '@jest/globals';
import { parseJsonPath } from '../../scenarios/schema/grammar/json-path.js';
import type { Template } from '../../scenarios/schema/grammar/template.js';
import type { ExpectPlan, OperationPlan } from '../../scenarios/schema/plan.js';
import { FIRST_ID } from '../protocol/id-ranges.js';
import { compileRequest, renderRequest } from './compile-request.js';
import { compileExpectation } from './expectation.js';

const result = {
  content: [
    { type: 'text', text: 'three "apples"' },
    { type: 'text', text: 'pears' },
  ],
  structuredContent: { count: 3, tags: ['a', 'b'], 'unit price': null },
};

const DRAW = { seed: 7, slot: 3, sequence: 5 };

function at(text: string, value: unknown) {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return compileExpectation({ contains: [], equals: [{ text, path: parsed.path, json: JSON.stringify(value) }] })(
    result,
    100,
    DRAW,
  );
}

describe('an expectation with placeholders', () => {
  const textTwelve = { name: 'text', length: 12 } as const;
  const params: Template = {
    kind: 'object',
    entries: [
      ['a', { kind: 'string', parts: ['<', textTwelve, '>'] }],
      ['b', { kind: 'string', parts: [textTwelve] }],
      ['me', { kind: 'number', draw: { name: 'client' } }],
    ],
  };
  const operation = (expected: ExpectPlan): OperationPlan => ({
    name: 'x',
    method: 'tools/call',
    params: {
      kind: 'object',
      entries: [
        ['name', { kind: 'constant', json: '"x"' }],
        ['arguments', params],
      ],
    },
    weight: 1,
    expect: expected,
  });
  const pinned = { era: 'legacy', version: '2025-11-25', sessions: true } as const;

  /** What the server gets, and the judgement of a result that repeats it. */
  function echoed(expected: ExpectPlan, slot = 3) {
    const template = compileRequest(operation(expected), 0, pinned);
    const draw = { ...DRAW, slot };
    const sent = (JSON.parse(renderRequest(template, FIRST_ID, draw)) as { params: { arguments: Sent } }).params
      .arguments;
    const repeated = (said: unknown) => ({
      content: [{ type: 'text', text: String(said) }],
      structuredContent: { said },
    });
    return { sent, judge: (said: unknown) => template.judge?.(repeated(said), 100, draw) };
  }
  interface Sent {
    readonly a: string;
    readonly b: string;
    readonly me: number;
  }
  const drawn = (...parts: (string | typeof textTwelve)[]): Template => ({ kind: 'string', parts });

  test('takes the values that the request drew, each of the same kind in its turn', () => {
    const { sent, judge } = echoed({ contains: [drawn('<', textTwelve, '> ', textTwelve)], equals: [] });
    expect(sent.a).not.toContain(sent.b);
    expect(judge(`${sent.a} ${sent.b}`)).toBeUndefined();
    expect(judge(sent.a)).toMatchObject({ category: 'expectation', detail: expect.stringContaining(sent.b) });
    expect(judge(`${sent.a} ${echoed({ contains: [], equals: [] }, 4).sent.b}`)?.category).toBe('expectation');
  });

  test('keeps numbers numbers', () => {
    const template = { kind: 'number', draw: { name: 'client' } } as const;
    const path = ['structuredContent', 'said'];
    const { judge } = echoed({
      contains: [],
      equals: [{ text: '$.structuredContent.said', path, json: '""', template }],
    });
    expect([judge(3), judge('3')?.detail, judge(4)?.detail]).toEqual([
      undefined,
      '$.structuredContent.said is "3", not 3',
      '$.structuredContent.said is 4, not 3',
    ]);
  });
});

describe('an expectation', () => {
  test.each([
    ['$.structuredContent.count', 3],
    ['$.content[0].text', 'three "apples"'],
    ['$.content[-1].text', 'pears'],
    ["$.structuredContent['unit price']", null],
    ['$["structuredContent"].tags', ['a', 'b']],
    ['$', result],
  ])('is met by the value at %s', (path, value) => {
    expect(at(path, value)).toBeUndefined();
  });

  test.each([
    ['$.structuredContent.count', 4, '$.structuredContent.count is 3, not 4'],
    ['$.structuredContent.count', '3', '$.structuredContent.count is 3, not "3"'],
    ['$.structuredContent.missing', 1, '$.structuredContent.missing does not exist in the result'],
    ['$.content[2]', 1, '$.content[2] does not exist in the result'],
    ['$.content[-3]', 1, '$.content[-3] does not exist in the result'],
    ['$.toString', 1, '$.toString does not exist in the result'],
    ['$.structuredContent.tags', ['b', 'a'], '$.structuredContent.tags is ["a","b"], not ["b","a"]'],
  ])('says what was found at %s', (path, value, detail) => {
    expect(at(path, value)).toEqual({ category: 'expectation', detail });
  });

  test('looks for each text in every string', () => {
    const holds = (...contains: string[]) => compileExpectation({ contains, equals: [] })(result, 100, DRAW);
    expect(holds('"apples"', 'pears')).toBeUndefined();
    expect(holds('pears', 'plums')).toEqual({
      category: 'expectation',
      detail: 'no text of the result contains "plums"',
    });
    // A key is not a text of the result.
    expect(holds('structuredContent')?.category).toBe('expectation');
  });

  test('limits the bytes of the message', () => {
    const sized = compileExpectation({ contains: [], equals: [], minBytes: 10, maxBytes: 20 });
    expect([9, 10, 20, 21].map((bytes) => sized(result, bytes, DRAW)?.detail)).toEqual([
      'an answer of 9 bytes, fewer than 10',
      undefined,
      undefined,
      'an answer of 21 bytes, more than 20',
    ]);
  });
});

test.each([
  ['content', 0],
  ['$.a..b', 3],
  ['$.*', 1],
  ['$[0:1]', 1],
  ['$[?(@.a)]', 1],
  ['$.a b', 3],
  ['$[01]', 1],
  ["$['a", 1],
  ['$.', 1],
])('a path that may select several values or none is refused: %s', (text, offset) => {
  expect(parseJsonPath(text)).toMatchObject({ ok: false, offset });
});
