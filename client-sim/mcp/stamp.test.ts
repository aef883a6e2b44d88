import { expect, test } from '@jest/globals';
import { compileRequest, renderRequest } from './compile-request.js';
import { readStamp, stampOrigin } from './stamp.js';

const template = compileRequest(
  {
    name: 'publish',
    method: 'tools/call',
    weight: 1,
    stamped: true,
    params: {
      kind: 'object',
      entries: [
        ['arguments', { kind: 'object', entries: [['stamp', { kind: 'string', parts: [{ name: 'stamp' }] }]] }],
      ],
    },
  },
  0,
  { era: 'modern', version: '2026-07-28', sessions: false },
);
const draw = { seed: 1, slot: 4_000_000_000, sequence: 0 };
function read(text: string) {
  return readStamp(Buffer.from(`xx${text}yy`), 2, 2 + Buffer.byteLength(text));
}

test('a subscriber reads what a publisher wrote, wherever it is in the message', () => {
  for (const number of [0, 1, 999_999_999_999]) {
    const stamp = { origin: stampOrigin('0badcafe', 1500.4, 987_654_321_000.6), number, dueUs: 987_654_400_123 };
    const message = renderRequest(template, 1_000_000_000, { ...draw, stamp });
    expect(() => JSON.parse(message)).not.toThrow();
    expect(read(message)).toEqual({
      clock: '0badcafe',
      errorUs: 1501,
      startUs: 987_654_321_001,
      publisher: 4_000_000_000,
      number,
      dueUs: 987_654_400_123,
    });
  }
});

test('a stamp without an origin, as preflight sends it, is ignored', () => {
  expect(read(renderRequest(template, 1_000_000_000, draw))).toBeUndefined();
});

test.each([
  '',
  'swb1 ',
  'swb1 0badcafe 1 2 3 4',
  'swb1 0badcafe 1 2 3 4 x',
  'swb1 0BADCAFE 1 2 3 4 5',
  'swb1 0badcafe 1 2 3 4 12345678901234567',
  'swb1 0badcafe -1 2 3 4 5',
])('%j is no stamp', (text) => {
  expect(read(text)).toBeUndefined();
});

test('nothing after the message is read', () => {
  const bytes = Buffer.from('swb1 0badcafe 1 2 3 4 56');
  expect(readStamp(bytes, 0, bytes.length - 1)?.dueUs).toBe(5);
  expect(readStamp(bytes, 0, bytes.length - 3)).toBeUndefined();
});
