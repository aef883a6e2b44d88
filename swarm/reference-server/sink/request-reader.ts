import { type Head, parseHead } from './head.js';

/** Takes each whole request: its head, and the body as a range of bytes that is valid only during the call. */
export type RequestHandler = (head: Head, bytes: Buffer, bodyStart: number, bodyEnd: number) => void;

export type ReadProblem = 'bad-request' | 'length-required';

const endOfHead = Buffer.from('\r\n\r\n');
const largestHeadBytes = 64 * 1024;

/**
 * Cuts a connection's bytes into requests, however they are fragmented. A client's heads are nearly always the same
 * bytes again, so each is first compared with the one before it, which costs a tenth of parsing.
 */
export class RequestReader {
  /** The head of the last request, the empty line included, and what it said. */
  private knownBytes: Buffer = Buffer.alloc(0);
  private known: Head | undefined;
  /** An incomplete head, or the parts of an incomplete body after its head. */
  private parts: Buffer[] = [];
  private pending: { readonly head: Head; missing: number } | undefined;

  /** @returns what is wrong with the stream, after which it cannot be read any further */
  read(chunk: Buffer, handle: RequestHandler): ReadProblem | undefined {
    const from = this.finishBody(chunk, handle);
    if (from === undefined) return undefined;
    if (this.parts.length === 0) return this.readFrom(chunk, from, handle);
    const joined = Buffer.concat([...this.parts, chunk.subarray(from)]);
    this.parts = [];
    return this.readFrom(joined, 0, handle);
  }

  /** @returns where the next head begins; undefined when the body still has not all come */
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
      const bodyStart = this.head(bytes, at);
      if (bodyStart === 'incomplete') {
        this.parts.push(bytes.subarray(at));
        return bytes.length - at > largestHeadBytes ? 'bad-request' : undefined;
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

  /** Sets `#known`. @returns where the body begins */
  private head(bytes: Buffer, at: number): number | 'incomplete' {
    const likely = at + this.knownBytes.length;
    if (
      this.known !== undefined &&
      likely <= bytes.length &&
      bytes.compare(this.knownBytes, 0, this.knownBytes.length, at, likely) === 0
    ) {
      return likely;
    }
    const end = bytes.indexOf(endOfHead, at);
    if (end < 0) return 'incomplete';
    this.known = parseHead(bytes.toString('latin1', at, end));
    this.knownBytes = Buffer.from(bytes.subarray(at, end + endOfHead.length));
    return end + endOfHead.length;
  }
}
