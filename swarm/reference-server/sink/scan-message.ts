/** Where the members of a JSON-RPC message lie; filled again for every message, so nothing is allocated. */
export interface MessageSpan {
  /** The id as it is written, quotes of a string included; start = end when there is none. */
  idStart: number;
  idEnd: number;
  /** The method without its quotes; start = end when there is none. */
  methodStart: number;
  methodEnd: number;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Finds `id` and `method` among the outermost members, in any order, and stops as soon as both are there: a benchmark
 * client writes them first, so some 60 bytes are looked at and nothing is parsed (JSON.parse would cost ten times
 * as much). Members of nested objects are stepped over.
 * @returns false when the bytes are not one JSON object with a closing brace where it should be
 */
export function scanMessage(bytes: Buffer, start: number, end: number, span: MessageSpan): boolean {
  span.idStart = span.idEnd = span.methodStart = span.methodEnd = 0;
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== openBrace || bytes[end - 1] !== closeBrace) return false;
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] === quote) {
    const nameStart = at + 1;
    const nameEnd = stringEnd(bytes, nameStart, end);
    at = skipSpace(bytes, nameEnd + 1, end);
    if (bytes[at] !== colon) return false;
    const valueStart = skipSpace(bytes, at + 1, end);
    const valueEnd = skipValue(bytes, valueStart, end);
    if (isName(bytes, nameStart, nameEnd, 'id')) {
      span.idStart = valueStart;
      span.idEnd = valueEnd;
    } else if (isName(bytes, nameStart, nameEnd, 'method') && bytes[valueStart] === quote) {
      span.methodStart = valueStart + 1;
      span.methodEnd = valueEnd - 1;
    }
    if (span.idEnd !== 0 && span.methodEnd !== 0) return true;
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] === closeBrace) return true;
    if (bytes[at] !== comma) return false;
    at = skipSpace(bytes, at + 1, end);
  }
  return bytes[at] === closeBrace;
}

function isName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index += 1) {
    if (bytes[start + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

function skipSpace(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}

/** @returns where the closing quote is, or the end */
function stringEnd(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return Math.min(at, end);
}

/** @returns the first byte after the value */
function skipValue(bytes: Buffer, from: number, end: number): number {
  let depth = 0;
  let at = from;
  while (at < end) {
    const byte = bytes[at];
    if (byte === quote) at = stringEnd(bytes, at + 1, end);
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return trimEnd(bytes, from, at);
      depth -= 1;
    } else if (byte === comma && depth === 0) return trimEnd(bytes, from, at);
    at += 1;
  }
  return at;
}

function trimEnd(bytes: Buffer, from: number, end: number): number {
  let at = end;
  while (at > from && (bytes[at - 1] ?? 0) <= 0x20) at -= 1;
  return at;
}

/** Method names as strings that are made once: most requests name the method of the request before. */
export class MethodNames {
  private lastBytes: Buffer = Buffer.alloc(0);
  private last = '';

  read(bytes: Buffer, start: number, end: number): string {
    const known = this.lastBytes;
    let same = known.length === end - start;
    for (let index = 0; same && index < known.length; index += 1) same = known[index] === bytes[start + index];
    if (!same) {
      this.lastBytes = Buffer.from(bytes.subarray(start, end));
      this.last = this.lastBytes.toString('latin1');
    }
    return this.last;
  }
}
