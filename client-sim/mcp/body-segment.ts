import type { Placeholder } from '../../scenarios/schema/grammar/template.js';
import { copyAscii, WordView } from './bytes8.js';
import { countDigits, writeInteger } from './digits.js';
import { type Draw, draw32, drawBelow } from './draw.js';
import { STAMP_BYTES, writeStamp } from './stamp.js';

/** A part of a request's body: fixed bytes, or one drawn value. */
export interface BodySegment {
  /** Upper bound of the bytes that `write` writes. */
  readonly maxBytes: number;
  /** The bytes, if they are always the same. */
  readonly bytes?: Buffer;
  /** `write` always writes `maxBytes`. */
  readonly isFixed?: boolean;
  /** @returns where the part ends */
  write(into: Buffer, at: number, draw: Draw): number;
}

export function fixedSegment(text: string): BodySegment {
  const bytes = Buffer.from(text, 'utf8');
  return { maxBytes: bytes.length, bytes, isFixed: true, write: (into, at) => put(bytes, into, at) };
}

interface DrawnSegmentOptions {
  /** Whether the value is inside a JSON string; default true. */
  readonly quoted?: boolean;
  /** Milliseconds since 1970; default: the system clock. */
  readonly now?: () => number;
}

/** @param position of the placeholder within its request, from 1; see `draw32` */
export function drawnSegment(
  placeholder: Placeholder,
  position: number,
  { quoted = true, now = Date.now }: DrawnSegmentOptions = {},
): BodySegment {
  switch (placeholder.name) {
    case 'text':
      return textSegment(placeholder.length, position);
    case 'int':
      return integerSegment(placeholder.min, placeholder.max, position);
    case 'pick':
      return pickSegment(placeholder.items, position, quoted);
    case 'uuid':
      return { maxBytes: 36, isFixed: true, write: (into, at, draw) => writeUuid(into, at, draw, position) };
    case 'client':
      return clientSegment(placeholder.modulo);
    case 'seq':
      return { maxBytes: 16, write: (into, at, draw) => writeInteger(into, at, draw.sequence) };
    case 'now':
      return { maxBytes: 16, write: (into, at) => writeInteger(into, at, now()) };
    case 'stamp':
      return { maxBytes: STAMP_BYTES, write: (into, at, draw) => writeStamp(into, at, draw.slot, draw.stamp) };
  }
}

function clientSegment(modulo: number | undefined): BodySegment {
  if (modulo === undefined) return { maxBytes: 16, write: (into, at, draw) => writeInteger(into, at, draw.slot) };
  return { maxBytes: 16, write: (into, at, draw) => writeInteger(into, at, draw.slot % modulo) };
}

const TEXT_BLOCK_BYTES = 65_536;

// Letters, digits and spaces: nothing that JSON escapes, so `text N` is N characters and N bytes.
const textBlock = makeTextBlock();
const textWords = new DataView(textBlock.buffer, textBlock.byteOffset, textBlock.length);
const view = new WordView();
/** Above this length a native copy is faster. */
const LONG_BYTES = 200;

function makeTextBlock(): Buffer {
  const alphabet = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789  ', 'latin1');
  const block = Buffer.allocUnsafe(TEXT_BLOCK_BYTES);
  for (let index = 0; index < block.length; index++) {
    block[index] = alphabet[draw32({ seed: 1, slot: 0, sequence: index }, 0) & 63] as number;
  }
  return block;
}

// Copying from a prepared block at a drawn offset costs one draw for each value, not one for each byte.
function textSegment(length: number, position: number): BodySegment {
  const write = (into: Buffer, at: number, draw: Draw): number => {
    let from = draw32(draw, position) % TEXT_BLOCK_BYTES;
    let done = 0;
    while (done < length) {
      const part = Math.min(length - done, TEXT_BLOCK_BYTES - from);
      if (part > LONG_BYTES) textBlock.copy(into, at + done, from, from + part);
      else copyAscii(textWords, from, view.of(into), at + done, part);
      done += part;
      from = 0;
    }
    return at + length;
  };
  return { maxBytes: length, isFixed: true, write };
}

function integerSegment(min: number, max: number, position: number): BodySegment {
  const span = max - min + 1;
  return {
    maxBytes: Math.max(countDigits(Math.abs(min)), countDigits(Math.abs(max))) + 1,
    write: (into, at, draw) => writeInteger(into, at, min + drawBelow(draw, position, span)),
  };
}

function pickSegment(items: readonly string[], position: number, quoted: boolean): BodySegment {
  const choices = items.map((item) => Buffer.from(quoted ? JSON.stringify(item).slice(1, -1) : item, 'utf8'));
  return {
    maxBytes: Math.max(...choices.map((choice) => choice.length)),
    write: (into, at, draw) => put(choices[drawBelow(draw, position, choices.length)] as Buffer, into, at),
  };
}

const HEX = Buffer.from('0123456789abcdef', 'latin1');
// Offsets of the dashes in a UUID: 8-4-4-4-12.
const DASHES = new Set([8, 13, 18, 23]);

/** A version 4 UUID (RFC 9562, 5.4) from four draws. */
function writeUuid(into: Buffer, at: number, draw: Draw, position: number): number {
  let bits = 0;
  let nibbles = 0;
  for (let index = 0; index < 36; index++) {
    if (DASHES.has(index)) {
      into[at + index] = 0x2d;
      continue;
    }
    if (nibbles % 8 === 0) bits = draw32(draw, position + 0x10000000 * (1 + nibbles / 8));
    let nibble = bits & 15;
    bits >>>= 4;
    if (index === 14) nibble = 4;
    if (index === 19) nibble = 8 | (nibble & 3);
    into[at + index] = HEX[nibble] as number;
    nibbles++;
  }
  return at + 36;
}

/** TypedArray.set costs 15 ns whatever the length (Buffer.copy of a part 60 ns); a few bytes are faster in a loop. */
function put(bytes: Buffer, into: Buffer, at: number): number {
  if (bytes.length > 8) into.set(bytes, at);
  else for (let index = 0; index < bytes.length; index++) into[at + index] = bytes[index] as number;
  return at + bytes.length;
}
