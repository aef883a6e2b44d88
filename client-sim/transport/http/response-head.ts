/** The head of an HTTP/1.1 answer (RFC 9112): status line and the few headers an MCP client acts on. */

export const INCOMPLETE = -1;
export const MALFORMED = -2;

export type MediaType = 'json' | 'event-stream' | 'other' | 'none';

/** Filled by `parseHead`. One object is reused for all heads, so absent headers cost no allocation. */
export class ResponseHead {
  status = 0;
  /** From the version and `connection`: whether another answer may follow on this connection. */
  keepAlive = true;
  /** -1: not given. */
  contentLength = -1;
  chunked = false;
  mediaType: MediaType = 'none';
  contentType = '';
  sessionId = '';
  retryAfter = '';
  location = '';
  /** `www-authenticate`: what the server wants to be shown. */
  authenticate = '';
  /** `x-swarmbench-replica`: the server's own name for itself. */
  replica = '';
  /** `x-swarmbench-server`: the gateway's name for the server to which it sent the request. */
  server = '';
  /** The values of all of them, one per line. */
  setCookie = '';
  /** From `keep-alive: timeout=N`; 0: not given. */
  keepAliveMs = 0;
  /** Why the head is malformed, when it is. */
  problem = '';

  reset(): void {
    this.status = 0;
    this.keepAlive = true;
    this.contentLength = -1;
    this.chunked = false;
    this.mediaType = 'none';
    this.contentType = '';
    this.sessionId = '';
    this.retryAfter = '';
    this.location = '';
    this.authenticate = '';
    this.replica = '';
    this.server = '';
    this.setCookie = '';
    this.keepAliveMs = 0;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const HTTP_1 = Buffer.from('HTTP/1.', 'latin1');

/**
 * Parses a head that begins at `start`. Its lines may end with LF alone (RFC 9112, 2.2).
 * @returns the offset after its blank line, INCOMPLETE (more bytes needed) or MALFORMED (`head.problem` says why)
 */
export function parseHead(bytes: Buffer, start: number, end: number, head: ResponseHead): number {
  head.reset();
  let at = parseStatusLine(bytes, start, end, head);
  let name = '';
  while (at >= 0) {
    if (at >= end) return INCOMPLETE;
    if (bytes[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      return bytes[at + 1] === LF ? finishHead(head, at + 2) : malformed(head, 'a CR without LF in the head');
    }
    if (bytes[at] === LF) return finishHead(head, at + 1);
    let colon = -1;
    let lf = at;
    for (; lf < end && bytes[lf] !== LF; lf++) if (colon < 0 && bytes[lf] === COLON) colon = lf;
    if (lf >= end) return INCOMPLETE;
    const lineEnd = bytes[lf - 1] === CR ? lf - 1 : lf;
    if (bytes[at] === SPACE || bytes[at] === TAB) {
      // A folded line (obsolete, RFC 9112 5.2) continues the value before it, which matters only if we read that value.
      if (name !== '') return malformed(head, `a folded ${name} header`);
    } else {
      if (colon <= at || isBlank(bytes[colon - 1] as number)) return malformed(head, 'a header line without a name');
      name = mayMatter(bytes[at] as number, colon - at) ? readHeader(bytes, at, colon, lineEnd, head) : '';
      if (head.problem !== '') return MALFORMED;
    }
    at = lf + 1;
  }
  return at;
}

/** `HTTP/1.x NNN reason`, reason optional. */
function parseStatusLine(bytes: Buffer, start: number, end: number, head: ResponseHead): number {
  const known = Math.min(end - start, HTTP_1.length);
  for (let index = 0; index < known; index++) {
    if (bytes[start + index] !== HTTP_1[index]) return malformed(head, 'an answer that does not begin with HTTP/1.');
  }
  let lf = start;
  while (lf < end && bytes[lf] !== LF) lf++;
  if (lf >= end) return INCOMPLETE;
  const minor = (bytes[start + 7] as number) - 0x30;
  const status = digitAt(bytes, start + 9) * 100 + digitAt(bytes, start + 10) * 10 + digitAt(bytes, start + 11);
  const after = bytes[start + 12];
  const lineEnd = bytes[lf - 1] === CR ? lf - 1 : lf;
  const wellFormed =
    lineEnd - start >= 12 &&
    (minor === 0 || minor === 1) &&
    bytes[start + 8] === SPACE &&
    status >= 100 &&
    (after === SPACE || start + 12 === lineEnd);
  if (!wellFormed) return malformed(head, 'a status line that is not HTTP/1.x NNN');
  // Else a header that follows the CR would be taken for a part of the reason.
  for (let index = start + 12; index < lineEnd; index++) {
    if (bytes[index] === CR) return malformed(head, 'a CR without LF in the status line');
  }
  head.status = status;
  head.keepAlive = minor === 1;
  return lf + 1;
}

function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] as number) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/**
 * By its first letter c (content-*, connection), t (transfer-encoding), m (mcp-session-id), r (retry-after), l
 * (location) or k (keep-alive); s (set-cookie), w (www-authenticate) and x (x-swarmbench-replica, x-swarmbench-server)
 * by their lengths too.
 * All other headers are skipped unread.
 */
function mayMatter(first: number, length: number): boolean {
  const letter = first | 0x20;
  if (letter === 0x78) return length === 20 || length === 19;
  if (letter === 0x73) return length === 10;
  if (letter === 0x77) return length === 16;
  return letter === 0x63 || letter === 0x74 || letter === 0x6d || letter === 0x72 || letter === 0x6c || letter === 0x6b;
}

/** @returns the header's name when it is one that we read, else '' */
function readHeader(bytes: Buffer, start: number, colon: number, end: number, head: ResponseHead): string {
  const name = bytes.toString('latin1', start, colon).toLowerCase();
  const value = bytes.toString('latin1', colon + 1, end).trim();
  switch (name) {
    case 'content-length':
      if (!/^\d{1,15}$/.test(value)) malformed(head, `content-length ${value}`);
      else if (head.contentLength >= 0) malformed(head, 'two content-length headers');
      else head.contentLength = Number(value);
      return name;
    case 'transfer-encoding':
      if (value.toLowerCase() !== 'chunked' || head.chunked)
        malformed(head, `transfer-encoding ${value}, although only chunked is allowed`);
      else head.chunked = true;
      return name;
    case 'content-encoding':
      if (value.toLowerCase() !== 'identity') malformed(head, `content-encoding ${value}, although none was accepted`);
      return name;
    case 'content-type':
      head.contentType = value;
      head.mediaType = mediaTypeOf(value);
      return name;
    case 'connection':
      for (const option of value.toLowerCase().split(',')) {
        if (option.trim() === 'close') head.keepAlive = false;
        else if (option.trim() === 'keep-alive') head.keepAlive = true;
      }
      return name;
    case 'mcp-session-id':
      head.sessionId = value;
      return name;
    case 'retry-after':
      head.retryAfter = value;
      return name;
    case 'location':
      head.location = value;
      return name;
    case 'www-authenticate':
      head.authenticate = value;
      return name;
    case 'x-swarmbench-replica':
      head.replica = value;
      return name;
    case 'x-swarmbench-server':
      head.server = value;
      return name;
    case 'set-cookie':
      head.setCookie = head.setCookie === '' ? value : `${head.setCookie}\n${value}`;
      return name;
    case 'keep-alive':
      head.keepAliveMs = Number(/timeout\s*=\s*(\d{1,7})/i.exec(value)?.[1] ?? 0) * 1000;
      return name;
    default:
      return '';
  }
}

/** @param value of a `content-type` header */
export function mediaTypeOf(value: string): MediaType {
  const essence = (value.split(';', 1)[0] as string).trim().toLowerCase();
  if (essence === 'application/json') return 'json';
  return essence === 'text/event-stream' ? 'event-stream' : 'other';
}

/** Both lengths at once are how requests are smuggled (RFC 9112 6.1): it is unclear where the answer ends. */
function finishHead(head: ResponseHead, at: number): number {
  return head.chunked && head.contentLength >= 0 ? malformed(head, 'both content-length and transfer-encoding') : at;
}

function malformed(head: ResponseHead, problem: string): typeof MALFORMED {
  head.problem = problem;
  return MALFORMED;
}
