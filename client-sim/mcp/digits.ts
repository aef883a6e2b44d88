/** Writes and reads decimal numbers as ASCII in place, without strings. */

const ZERO = 0x30;

/** Every id has this many digits, so an id never changes the length of a request. */
export const ID_DIGITS = 10;

/**
 * The four digits of every number below 10,000, as they are in memory: an id is written and compared as three words
 * instead of with ten divisions.
 */
const FOURS = Int32Array.from({ length: 10_000 }, (_, number) => fourDigits(number));

function fourDigits(number: number): number {
  let word = 0;
  for (let rest = number, shift = 24; shift >= 0; shift -= 8, rest = Math.floor(rest / 10))
    word |= (ZERO + (rest % 10)) << shift;
  return word;
}

/**
 * @param into a view of the bytes to write to, see `WordView`
 * @param id of ten digits, at most `LAST_ID`
 */
export function writeId(into: DataView, at: number, id: number): void {
  const first = (id / 100_000_000) | 0;
  const last = id - first * 100_000_000;
  const middle = (last / 10_000) | 0;
  into.setInt16(at, (FOURS[first] as number) >> 16, true);
  into.setInt32(at + 2, FOURS[middle] as number, true);
  into.setInt32(at + 6, FOURS[last - middle * 10_000] as number, true);
}

/** Whether the ten bytes at `at` are this id. */
export function isId(bytes: DataView, at: number, id: number): boolean {
  const first = (id / 100_000_000) | 0;
  const last = id - first * 100_000_000;
  const middle = (last / 10_000) | 0;
  return (
    bytes.getInt32(at + 6, true) === FOURS[last - middle * 10_000] &&
    bytes.getInt32(at + 2, true) === FOURS[middle] &&
    bytes.getInt16(at, true) === (FOURS[first] as number) >> 16
  );
}

/** The id whose ten digits are at `at`; 0 if these are no digits. */
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
    into[index] = rest - next * 10 + ZERO;
    rest = next;
  }
  return end;
}

/** Number of digits of a non-negative integer. */
export function countDigits(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
