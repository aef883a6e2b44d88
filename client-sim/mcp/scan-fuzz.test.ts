import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeMessage } from './judge-message.js';
import { ALWAYS_PARSED_BYTES, parseMessage, scanAnswer } from './scan-answer.js';

const ID = 1_000_000_007;
function scan(text: string | Buffer, turn = 0): string {
  const bytes = Buffer.concat([Buffer.from('}]"'), Buffer.from(text), Buffer.from('{["')]);
  return scanAnswer(bytes, 3, bytes.length - 3, ID, turn)?.category ?? 'correct';
}

/** Judges by JSON.parse and the rules alone. */
function reference(text: string): string {
  try {
    return judgeMessage(JSON.parse(text), ID)?.category ?? 'correct';
  } catch {
    return 'protocol_violation';
  }
}

const member = fc.oneof(
  fc.constantFrom(
    '"jsonrpc":"2.0"',
    '"jsonrpc":"1.0"',
    `"id":${ID}`,
    `"id":"${ID}"`,
    `"id":${ID}.0`,
    `"id":1000000007e0`,
    `"i\\u0064":${ID}`,
    '"id":null',
    `"id":${ID + 1}`,
    `"id":${ID}${'0'.repeat(400)}`,
  ),
  fc.constantFrom(
    '"result":{}',
    '"result":{"isError":true}',
    '"result":{"is\\u0045rror":true}',
    '"result":{"isError":false}',
    '"result":[]',
    '"result":{"a":1e400}',
    '"error":{"code":-32601,"message":"no"}',
    '"error":{"code":1e400}',
    '"error":null',
  ),
  fc.json({ maxDepth: 2 }).map((json) => `"x":${json}`),
);
const white = fc.constantFrom('', ' ', '\n', '\t\r\n');

test('an answer with any members, repeated or in any order, is judged as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 6 }), white, white, (members, before, after) => {
      const text = `${before}{${members.join(`${after},`)}}${after}`;
      expect(scan(text)).toBe(reference(text));
    }),
    { numRuns: 1500 },
  );
});

test('an answer cut short at any byte, or with any byte after it, is judged as JSON.parse reads it', () => {
  const content = '[{"type":"text","text":"a\\"\\\\\\u20ac"}]';
  const text = `{"jsonrpc":"2.0","id":${ID},"result":{"content":${content},"n":[1,-2.5e3,null,true]}}`;
  for (let at = 0; at <= text.length; at++) {
    expect(scan(text.slice(0, at))).toBe(reference(text.slice(0, at)));
    expect(scan(`${text}${text[at] ?? ''}`)).toBe(reference(`${text}${text[at] ?? ''}`));
  }
});

describe('hostile answers', () => {
  test('nested a hundred thousand levels deep get a verdict and no exception', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `{"jsonrpc":"2.0","id":${ID},"result":{"a":${open.repeat(100_000)}1${close.repeat(100_000)}}}`;
      for (const turn of [0, 1]) expect(['correct', 'protocol_violation']).toContain(scan(deep, turn));
      expect(scan(deep.slice(0, -1), 0)).toBe('protocol_violation');
    }
  });

  test('a number of a megabyte is read in reasonable time', () => {
    const huge = `{"jsonrpc":"2.0","id":${ID},"result":{"n":${'9'.repeat(1_000_000)}}}`;
    expect(scan(huge, 0)).toBe('correct');
    expect(scan(huge.replace(`${ID}`, '9'.repeat(1_000_000)), 1)).toBe('protocol_violation');
  });

  test('with invalid UTF-8 are never judged correct before their end', () => {
    const bytes = Buffer.concat([
      Buffer.from(`{"jsonrpc":"2.0","id":${ID},"result":{"t":"`),
      Buffer.from([0xc3, 0x28, 0xff, 0xf8]),
      Buffer.from('"}}'),
    ]);
    expect(parseMessage(bytes, 0, bytes.length).ok).toBe(true);
    for (let at = 0; at < bytes.length; at++) expect(scan(bytes.subarray(0, at))).toBe('protocol_violation');
  });

  /** An escape for a letter, which no serializer writes, hides a word from a search for it. */
  test.each(['"is\\u0045rror":true', '"\\u0069sError":true', '"resultType":"input_requir\\u0065d"'])(
    'a long answer with %s is never correct, parsed or not',
    (sign) => {
      const text = `{"jsonrpc":"2.0","id":${ID},"result":{"t":"${'x'.repeat(ALWAYS_PARSED_BYTES)}",${sign}}}`;
      for (let turn = 0; turn < 16; turn++) expect(scan(text, turn)).toBe('tool_error');
    },
  );
});
