/** Called for each complete request; the range of bytes that is its body is valid only during the call. */
type RequestHandler = (head: Head, bytes: Buffer, bodyStart: number, bodyEnd: number) => void;

type ReadProblem = 'bad-request' | 'length-required';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const LARGEST_HEAD_BYTES = 64 * 1024;

/**
 * Splits the bytes of a connection into requests, however they are fragmented. The heads of a client are nearly always
 * the same bytes, so each is first compared with the one before, which costs a tenth of parsing it.
 */
export class RequestReader {
  /** The head of the last request, with the empty line, and what it said. */
  private knownBytes: Buffer = Buffer.alloc(0);
  private known: Head | undefined;
  /** An incomplete head, or the parts of an incomplete body after its head. */
  private parts: Buffer[] = [];
  private pending: { readonly head: Head; missing: number } | undefined;

  /** @returns what is wrong with the bytes, after which the connection cannot be read any further */
  read(chunk: Buffer, handle: RequestHandler): ReadProblem | undefined {
    const from = this.finishBody(chunk, handle);
    if (from === undefined) return undefined;
    if (this.parts.length === 0) return this.readFrom(chunk, from, handle);
    const joined = Buffer.concat([...this.parts, chunk.subarray(from)]);
    this.parts = [];
    return this.readFrom(joined, 0, handle);
  }

  /** @returns where the next head begins; undefined while the body is incomplete */
  private finishBody(chunk: Buffer, handle: RequestHandler): number | undefined {
    const pending = this.pending;
    if (pending === undefined) return 0;
    if (chunk.length < pending.missing) {
      pending.missing -= chunk.length;
      this.parts.push(chunk);
      return undefined;
    }
    const body = Buffer.concat([...this.parts, chunk.subarray(0, pending.missing)]);
    this.parts = [];
    this.pending = undefined;
    handle(pending.head, body, 0, body.length);
    return pending.missing;
  }

  private readFrom(bytes: Buffer, from: number, handle: RequestHandler): ReadProblem | undefined {
    let at = from;
    while (at < bytes.length) {
      const bodyStart = this.readHead(bytes, at);
      if (bodyStart === 'incomplete') {
        this.parts.push(bytes.subarray(at));
        return bytes.length - at > LARGEST_HEAD_BYTES ? 'bad-request' : undefined;
      }
      const head = this.known;
      if (head === undefined) return 'bad-request';
      if (head.contentLength === undefined) return 'length-required';
      const bodyEnd = bodyStart + head.contentLength;
      if (bodyEnd > bytes.length) {
        this.parts.push(bytes.subarray(bodyStart));
        this.pending = { head, missing: bodyEnd - bytes.length };
        return undefined;
      }
      handle(head, bytes, bodyStart, bodyEnd);
      at = bodyEnd;
    }
    return undefined;
  }

  /** Sets `known`. @returns where the body begins */
  private readHead(bytes: Buffer, at: number): number | 'incomplete' {
    const likely = at + this.knownBytes.length;
    if (
      this.known !== undefined &&
      likely <= bytes.length &&
      bytes.compare(this.knownBytes, 0, this.knownBytes.length, at, likely) === 0
    ) {
      return likely;
    }
    const end = bytes.indexOf(END_OF_HEAD, at);
    if (end < 0) return 'incomplete';
    this.known = parseHead(bytes.toString('latin1', at, end));
    this.knownBytes = Buffer.from(bytes.subarray(at, end + END_OF_HEAD.length));
    return end + END_OF_HEAD.length;
  }
}

/** The parts of a request's head that the sink needs. */
export interface Head {
  readonly verb: 'POST' | 'GET' | 'DELETE' | 'other';
  readonly path: string;
  /** Bytes of the body; undefined when the request names no length, which the sink refuses. */
  readonly contentLength: number | undefined;
  /** Revision 2026-07-28: results carry more members. */
  readonly modern: boolean;
  /** The client wants the connection closed after the answer. */
  readonly close: boolean;
}

const MODERN_VERSION = '2026-07-28';

/** @param text from the request line up to the empty line, in latin1; undefined when it is not a request line */
function parseHead(text: string): Head | undefined {
  const [requestLine, ...lines] = text.split('\r\n');
  const request = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(requestLine ?? '');
  if (request === null) return undefined;
  const [, verb, path] = request;
  let contentLength: number | undefined = verb === 'POST' ? undefined : 0;
  let modern = false;
  let close = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-length':
        if (!/^\d{1,9}$/.test(value)) return undefined;
        contentLength = Number(value);
        break;
      case 'transfer-encoding':
        return { verb: 'other', path: path ?? '/', contentLength: undefined, modern, close: true };
      case 'mcp-protocol-version':
        modern = value === MODERN_VERSION;
        break;
      case 'connection':
        close = /\bclose\b/i.test(value);
        break;
    }
  }
  return {
    verb: verb === 'POST' || verb === 'GET' || verb === 'DELETE' ? verb : 'other',
    path: path ?? '/',
    contentLength,
    modern,
    close,
  };
}
