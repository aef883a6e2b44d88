import { describe, expect, test } from '@jest/globals';
import { parseJsonPath } from '../../scenarios/schema/grammar/json-path.js';
import { compileExpectation } from './expectation.js';

const result = {
  content: [
    { type: 'text', text: 'three "apples"' },
    { type: 'text', text: 'pears' },
  ],
  structuredContent: { count: 3, tags: ['a', 'b'], 'unit price': null },
};

function at(text: string, value: unknown) {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return compileExpectation({ contains: [], equals: [{ text, path: parsed.path, json: JSON.stringify(value) }] })(
    result,
    100,
  );
}

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
    const holds = (...contains: string[]) => compileExpectation({ contains, equals: [] })(result, 100);
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
    expect([9, 10, 20, 21].map((bytes) => sized(result, bytes)?.detail)).toEqual([
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
