import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arePlainInJson, copyAscii, equalWords, isPlainInJson } from './bytes8.js';

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

test('every byte is judged alike at every position', () => {
  for (let byte = 0; byte < 256; byte++) {
    const plain = byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
    expect(isPlainInJson(byte)).toBe(plain);
    for (let place = 0; place < 11; place++) {
      const bytes = new Uint8Array(13).fill(0x61);
      bytes[place + 1] = byte;
      expect([byte, place, arePlainInJson(view(bytes), 1, 12)]).toEqual([byte, place, plain]);
    }
  }
});

test('bytes without NUL equal themselves, and no bytes that differ in one place', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40, min: 1, max: 0x7e });
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 0, max: 255 }), (fixed, at, to) => {
      const other = Uint8Array.from([9, ...fixed]);
      expect(equalWords(view(other), 1, view(fixed), 0, fixed.length)).toBe(true);
      const place = 1 + (at % fixed.length);
      if (other[place] === to) return;
      other[place] = to;
      expect(equalWords(view(other), 1, view(fixed), 0, fixed.length)).toBe(false);
    }),
  );
});

test('ASCII is copied unchanged, and nothing around it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50, max: 0x7e }), (text) => {
      const into = new Uint8Array(text.length + 4).fill(0xee);
      copyAscii(view(text), 0, view(into), 2, text.length);
      expect([...into]).toEqual([0xee, 0xee, ...text, 0xee, 0xee]);
    }),
  );
});
