/** Decimal numbers as ASCII, written in place: no strings on the way to the wire. */

const ZERO = 0x30;

/** Ids have always this many digits, so an id never changes the length of a request. */
export const ID_DIGITS = 10;

/**
 * First and last request id of a channel. The last is the largest small integer of V8, so that ids never become heap
 * numbers; a channel that reaches it (after 1.1 billion requests) starts again at the first.
 */
export const FIRST_ID = 1_000_000_000;
export const LAST_ID = 2_147_483_647;

export function writeId(into: Buffer, at: number, id: number): void {
  let rest = id;
  for (let index = at + ID_DIGITS - 1; index >= at; index--) {
    const next = (rest / 10) | 0;
    into[index] = ZERO + rest - next * 10;
    rest = next;
  }
}

/** Whether the ten bytes at `at` are this id. */
export function isId(bytes: Buffer, at: number, id: number): boolean {
  let value = 0;
  for (let index = at; index < at + ID_DIGITS; index++) {
    const digit = (bytes[index] as number) - ZERO;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  return value === id;
}

/** The id whose ten digits are at `at`; 0 when they are none. */
export function readId(bytes: Buffer, at: number): number {
  let value = 0;
  for (let index = at; index < at + ID_DIGITS; index++) {
    const digit = (bytes[index] as number) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes an integer (|value| at most 2^53) and returns where it ends. */
export function writeInteger(into: Buffer, at: number, value: number): number {
  let start = at;
  let rest = value;
  if (rest < 0) {
    into[start++] = 0x2d;
    rest = -rest;
  }
  const end = start + countDigits(rest);
  for (let index = end - 1; index >= start; index--) {
    const next = Math.floor(rest / 10);
    into[index] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** Digits of a non-negative integer. */
export function countDigits(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
