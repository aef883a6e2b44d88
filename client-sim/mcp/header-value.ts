const BEFORE = '=?base64?';
const AFTER = '?=';
const BEFORE_BYTES = Buffer.from(BEFORE, 'latin1');
const AFTER_BYTES = Buffer.from(AFTER, 'latin1');
const SPACE = 0x20;
const TILDE = 0x7e;

/**
 * A value for an `Mcp-*` header (2026-07-28, Streamable HTTP, "Value Encoding"): as it is when it is plain visible
 * ASCII, else base64 of its UTF-8 between sentinels; also when it looks like a sentinel itself.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !/^=\?base64\?.*\?=$/i.test(value)) return value;
  return `${BEFORE}${Buffer.from(value, 'utf8').toString('base64')}${AFTER}`;
}

/**
 * The same for a value that lies in a buffer as UTF-8, in its place. @returns where it ends then, at most
 * `encodedBytes` after its start
 */
export function encodeInPlace(into: Buffer, start: number, end: number): number {
  if (isPlain(into, start, end)) return end;
  const encoded = encodeHeaderValue(into.toString('utf8', start, end));
  return start + into.write(encoded, start, 'latin1');
}

/** Upper bound of the length of an encoded value. */
export function encodedBytes(bytes: number): number {
  return BEFORE_BYTES.length + 4 * Math.ceil(bytes / 3) + AFTER_BYTES.length;
}

/** Certainly plain; what only may be a sentinel is looked at again. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  if (start === end || bytes[start] === SPACE || bytes[end - 1] === SPACE || bytes[start] === BEFORE_BYTES[0])
    return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < SPACE || byte > TILDE) return false;
  }
  return true;
}
