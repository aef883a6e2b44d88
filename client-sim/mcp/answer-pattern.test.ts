import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AnswerPattern, learnPattern } from './answer-pattern.js';
import { scanAnswer } from './scan-answer.js';

const ID = 1_000_000_001;

/**
 * Learns from a message with bytes before and after it, as in an HTTP answer; from the message `before` first, if there
 * is one.
 */
function learn(
  message: string,
  before?: string,
): { readonly pattern: AnswerPattern; readonly wrap: (other: string) => Buffer } {
  const wrap = (other: string): Buffer => Buffer.from(`HTTP head of ${Buffer.byteLength(message)} bytes ${other} tail`);
  const bytes = wrap(message);
  const start = bytes.indexOf(message.slice(0, 5));
  const previous = before === undefined ? undefined : learn(before).pattern;
  const pattern = learnPattern(bytes, 0, bytes.length, start, start + Buffer.byteLength(message), ID, previous);
  if (pattern === undefined) throw new Error('nothing was learnt');
  return { pattern, wrap };
}

function answer(text: string, id = ID): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], isError: false } });
}

test('another id matches only when it is the expected one', () => {
  const { pattern, wrap } = learn(answer('hello'));
  const next = wrap(answer('hello', ID + 1));
  expect(pattern.matches(next, 0, next.length, ID + 1)).toBe(true);
  expect(pattern.matches(next, 0, next.length, ID)).toBe(false);
});

test('another text does not match before texts have differed', () => {
  const { pattern, wrap } = learn(answer('hello'));
  const other = wrap(answer('world'));
  expect(pattern.matches(other, 0, other.length, ID)).toBe(false);
});

test('once texts have differed, any plain one of the same length matches, and no other', () => {
  const { pattern, wrap } = learn(answer('hello'), answer('howdy'));
  const verdict = (text: string): boolean => {
    const bytes = wrap(answer('hello').replace('hello', text));
    return pattern.matches(bytes, 0, bytes.length, ID);
  };
  expect(verdict('world')).toBe(true);
  for (const text of ['wor"d', '"orld', 'wor\\d', 'worl\\', 'wor\nd', 'w\x00rld', 'w\x1frld', 'wörd', 'worlds', 'wor'])
    expect([text, verdict(text)]).toEqual([text, false]);
});

test('an incomplete answer does not match', () => {
  const { pattern, wrap } = learn(answer('hello'));
  const bytes = wrap(answer('hello'));
  for (let end = 0; end < bytes.length; end++) expect(pattern.matches(bytes, 0, end, ID)).toBe(false);
});

describe('nothing is learnt from an answer', () => {
  test.each([
    ['whose id is also in its text', answer(`you sent ${ID}`)],
    [
      'whose id is not where an id belongs',
      `{"jsonrpc":"2.0","id":${ID / 1e9}e9,"result":{"content":[{"text":"${ID}"}]}}`,
    ],
    ['of more than 16 KiB', answer('x'.repeat(20_000))],
  ])('%s', (_name, message) => {
    expect(() => learn(message)).toThrow('nothing was learnt');
  });
});

test('whatever matches is also correct by a full parse', () => {
  const messages = [
    [answer('hello world, this is me'), answer('olleh dlrow, siht si em')],
    [
      JSON.stringify({
        result: {
          content: [{ type: 'text', text: 'a "quoted" größe' }],
          structuredContent: { count: 12, items: ['one', 'two'], '': '' },
        },
        jsonrpc: '2.0',
        id: ID,
      }),
      JSON.stringify({
        result: {
          content: [{ type: 'TEXT', text: 'a "quoted" GRößE' }],
          structuredContent: { count: 12, items: ['eno', 'owt'], '': '' },
        },
        jsonrpc: '2.0',
        id: ID,
      }),
    ],
    [
      JSON.stringify({
        jsonrpc: '2.0',
        id: ID,
        result: {
          resultType: 'complete',
          _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'x', version: '1' } },
          content: [],
        },
      }),
      JSON.stringify({
        jsonrpc: '2.0',
        id: ID,
        result: {
          resultType: 'COMPLETE',
          _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'y', version: '2' } },
          content: [],
        },
      }),
    ],
  ] as const;
  const byte = fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[]:,0123456789 \nabctruefalse')), fc.nat(255));
  let matched = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 3 }),
      ([message, before], changes) => {
        const { pattern, wrap } = learn(message, before);
        const bytes = wrap(message);
        const start = bytes.indexOf(message.slice(0, 5));
        const end = start + Buffer.byteLength(message);
        for (const [at, to] of changes) bytes[start + (at % (end - start))] = to;
        if (!pattern.matches(bytes, 0, bytes.length, ID)) return;
        matched++;
        expect(scanAnswer(bytes, start, end, ID, 0)).toBeUndefined();
      },
    ),
    { numRuns: 5000 },
  );
  expect(matched).toBeGreaterThan(50);
});

test('long fixed stretches are compared up to the last byte', () => {
  const message = JSON.stringify({
    jsonrpc: '2.0',
    id: ID,
    result: { a: Array.from({ length: 200 }, (_, index) => index) },
  });
  const { pattern, wrap } = learn(message);
  const bytes = wrap(message);
  expect(pattern.matches(bytes, 0, bytes.length, ID)).toBe(true);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    expect(pattern.matches(changed, 0, changed.length, ID)).toBe(false);
  }
});
