/** Where the members of a JSON-RPC message lie; filled again for every message, so nothing is allocated. */
interface MessageSpan {
  /** The id as it is written, quotes of a string included; start = end when there is none. */
  idStart: number;
  idEnd: number;
  /** The method without its quotes; start = end when there is none. */
  methodStart: number;
  methodEnd: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Finds `id` and `method` among the outermost members, in any order, and stops as soon as both are there: a benchmark
 * client writes them first, so some 60 bytes are looked at and nothing is parsed (JSON.parse would cost ten times
 * as much). Members of nested objects are stepped over.
 * @returns false when the bytes are not one JSON object with a closing brace where it should be
 */
export function scanMessage(bytes: Buffer, start: number, end: number, span: MessageSpan): boolean {
  span.idStart = span.idEnd = span.methodStart = span.methodEnd = 0;
  let at = skipSpace(bytes, start, end);
  if (bytes[at] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) return false;
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] === QUOTE) {
    const nameStart = at + 1;
    const nameEnd = stringEnd(bytes, nameStart, end);
    at = skipSpace(bytes, nameEnd + 1, end);
    if (bytes[at] !== COLON) return false;
    const valueStart = skipSpace(bytes, at + 1, end);
    const valueEnd = skipValue(bytes, valueStart, end);
    if (isName(bytes, nameStart, nameEnd, 'id')) {
      span.idStart = valueStart;
      span.idEnd = valueEnd;
    } else if (isName(bytes, nameStart, nameEnd, 'method') && bytes[valueStart] === QUOTE) {
      span.methodStart = valueStart + 1;
      span.methodEnd = valueEnd - 1;
    }
    if (span.idEnd !== 0 && span.methodEnd !== 0) return true;
    at = skipSpace(bytes, valueEnd, end);
    if (bytes[at] === CLOSE_BRACE) return true;
    if (bytes[at] !== COMMA) return false;
    at = skipSpace(bytes, at + 1, end);
  }
  return bytes[at] === CLOSE_BRACE;
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
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, end);
}

/** @returns the first byte after the value */
function skipValue(bytes: Buffer, from: number, end: number): number {
  let depth = 0;
  let at = from;
  while (at < end) {
    const byte = bytes[at];
    if (byte === QUOTE) at = stringEnd(bytes, at + 1, end);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return trimEnd(bytes, from, at);
      depth -= 1;
    } else if (byte === COMMA && depth === 0) return trimEnd(bytes, from, at);
    at += 1;
  }
  return at;
}

function trimEnd(bytes: Buffer, from: number, end: number): number {
  let at = end;
  while (at > from && (bytes[at - 1] ?? 0) <= 0x20) at -= 1;
  return at;
}

/** Longest id and method taken: answers are kept for each length of an id and each method. */
const LONGEST_NAME = 128;

/** Reads one message after the other without allocating: most requests name the method of the request before. */
export class MessageReader {
  /** Where the members of the last message lie. */
  readonly span: MessageSpan = { idStart: 0, idEnd: 0, methodStart: 0, methodEnd: 0 };
  private methodBytes: Buffer = Buffer.alloc(0);
  private method = '';

  /** @returns the method, empty when there is none; undefined when the bytes are no message that the sink takes */
  read(bytes: Buffer, start: number, end: number): string | undefined {
    const span = this.span;
    if (
      !scanMessage(bytes, start, end, span) ||
      span.idEnd - span.idStart > LONGEST_NAME ||
      span.methodEnd - span.methodStart > LONGEST_NAME
    ) {
      return undefined;
    }
    return this.methodOf(bytes, span.methodStart, span.methodEnd);
  }

  private methodOf(bytes: Buffer, start: number, end: number): string {
    const known = this.methodBytes;
    let same = known.length === end - start;
    for (let index = 0; same && index < known.length; index += 1) same = known[index] === bytes[start + index];
    if (!same) {
      this.methodBytes = Buffer.from(bytes.subarray(start, end));
      this.method = this.methodBytes.toString('latin1');
    }
    return this.method;
  }
}
