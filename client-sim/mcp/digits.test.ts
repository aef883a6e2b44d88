import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FIRST_ID, LAST_ID } from '../protocol/id-ranges.js';
import { isId, readId, writeId } from './digits.js';

const id = fc.oneof(
  fc.integer({ min: FIRST_ID, max: LAST_ID }),
  fc.constantFrom(FIRST_ID, FIRST_ID + 9_999, 1_099_999_999, 1_100_000_000, 1_999_999_999, 2_000_000_000, LAST_ID),
);

test('an id is written as its ten digits and nothing around them, and is read as that id and no other', () => {
  fc.assert(
    fc.property(id, id, fc.nat(5), (one, other, at) => {
      const bytes = Buffer.alloc(16, 0xee);
      const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      writeId(words, at, one);
      expect(bytes.toString('latin1', at, at + 10)).toBe(String(one));
      expect([...bytes.subarray(0, at), ...bytes.subarray(at + 10)].every((byte) => byte === 0xee)).toBe(true);
      expect(readId(bytes, at)).toBe(one);
      expect(isId(words, at, one)).toBe(true);
      expect(isId(words, at, other)).toBe(one === other);
    }),
  );
});

test('any other byte among its digits makes it another id', () => {
  const bytes = Buffer.from('1234567890', 'latin1');
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let place = 0; place < 10; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = bytes[place] as number;
      bytes[place] = byte;
      expect([place, byte, isId(words, 0, 1_234_567_890)]).toEqual([place, byte, byte === before]);
      bytes[place] = before;
    }
  }
});
