import { ANSWER_BYTES, overLimit } from '../../mcp/judge-message.js';
import { ChunkDecoder } from './chunk-decoder.js';
import { INCOMPLETE, MALFORMED, parseHead, ResponseHead } from './response-head.js';

/** The result of `next`: a whole head, a stretch of body, the end of an answer, the end of the input, or no HTTP. */
type ParserEvent = 'head' | 'body' | 'end' | 'more' | 'broken';

export interface ParserLimits {
  /** For one head; also for all extensions and trailers of a chunked body together. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** Longest head that is read. */
export const HEAD_BYTES = 65_536;
const DEFAULT_LIMITS: ParserLimits = { headBytes: HEAD_BYTES, bodyBytes: ANSWER_BYTES };

type State = 'head' | 'length' | 'chunked' | 'until-close' | 'ending' | 'broken';

const CR = 0x0d;
const LF = 0x0a;
/** Informational answers (102, 103) accepted before an answer. */
const MAX_INFORMATIONAL = 16;

/**
 * Resumable parser of HTTP/1.1 answers that is pulled, without callbacks: the caller passes the same buffer until it
 * returns 'more'. Body bytes are never copied (`dataStart`..`dataEnd` lie in the caller's buffer). Only a head that
 * spans reads is kept, and the search for its end resumes where the last one stopped, so the cost is linear in any
 * case.
 */
export class ResponseParser {
  readonly head = new ResponseHead();
  /** Where reading continues in the buffer given to `next`. */
  at = 0;
  /** After 'body'. */
  dataStart = 0;
  dataEnd = 0;
  /** After 'broken'. */
  problem = '';
  /** Its problem is the length of the body. */
  isOverLimit = false;

  private state: State = 'head';
  private remaining = 0;
  private bodyBytes = 0;
  private informational = 0;
  private chunks: ChunkDecoder | undefined;
  private held: Buffer | undefined;
  private heldBytes = 0;

  constructor(private readonly limits: ParserLimits = DEFAULT_LIMITS) {}

  /** No byte of an answer has been read yet. */
  get idle(): boolean {
    return this.state === 'head' && this.heldBytes === 0 && this.informational === 0;
  }

  next(bytes: Buffer, end: number): ParserEvent {
    switch (this.state) {
      case 'head':
        return this.at >= end ? 'more' : this.readHead(bytes, end);
      case 'length':
        return this.readLength(end);
      case 'chunked':
        return this.readChunk(bytes, end);
      case 'until-close':
        if (this.at >= end) return 'more';
        this.dataStart = this.at;
        this.dataEnd = this.at = end;
        return this.body();
      case 'ending':
        return this.finish();
      case 'broken':
        return 'broken';
    }
  }

  /** The server sends no more: 'end' when that completes a body, 'more' when it cuts no answer, else 'broken'. */
  endOfInput(): ParserEvent {
    if (this.idle) return 'more';
    if (this.state === 'until-close') return this.finish();
    return this.broke('the connection ended within an answer');
  }

  private readHead(bytes: Buffer, end: number): ParserEvent {
    if (this.heldBytes > 0) return this.readHeldHead(bytes, end);
    const after = parseHead(bytes, this.at, end, this.head);
    if (after === MALFORMED) return this.broke(this.head.problem);
    if (after === INCOMPLETE) return this.hold(bytes, end);
    this.at = after;
    return this.begin(bytes, end);
  }

  private readHeldHead(bytes: Buffer, end: number): ParserEvent {
    const start = this.at;
    const before = this.heldBytes;
    if (this.hold(bytes, end) === 'broken') return 'broken';
    const held = (this.held as Buffer).subarray(0, this.heldBytes);
    const length = endOfHead(held, Math.max(0, before - 3));
    if (length < 0) return 'more';
    this.at = start + length - before;
    this.held = undefined;
    this.heldBytes = 0;
    // The head is complete, unless a stray blank line before the status line was taken for its end.
    if (parseHead(held, 0, length, this.head) !== length)
      return this.broke(this.head.problem || 'a blank line within the head');
    return this.begin(bytes, end);
  }

  private hold(bytes: Buffer, end: number): ParserEvent {
    const length = this.heldBytes + end - this.at;
    if (length > this.limits.headBytes) return this.broke(`a head of more than ${this.limits.headBytes} bytes`);
    if (this.held === undefined || this.held.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(512, 2 * length));
      this.held?.copy(larger, 0, 0, this.heldBytes);
      this.held = larger;
    }
    bytes.copy(this.held, this.heldBytes, this.at, end);
    this.heldBytes = length;
    this.at = end;
    return 'more';
  }

  /** Decides which body follows the head (RFC 9112, 6.3). */
  private begin(bytes: Buffer, end: number): ParserEvent {
    const { head, limits } = this;
    if (head.status < 200) {
      if (head.status === 101) return this.broke('101 Switching Protocols, which was not requested');
      if (++this.informational > MAX_INFORMATIONAL)
        return this.broke(`no answer after ${MAX_INFORMATIONAL} informational ones`);
      return this.next(bytes, end);
    }
    this.bodyBytes = 0;
    if (head.status === 204 || head.status === 304) {
      this.state = 'ending';
    } else if (head.chunked) {
      this.state = 'chunked';
      this.chunks ??= new ChunkDecoder(limits.headBytes);
      this.chunks.reset();
    } else if (head.contentLength >= 0) {
      if (head.contentLength > limits.bodyBytes) return this.brokeLimit();
      this.remaining = head.contentLength;
      this.state = this.remaining > 0 ? 'length' : 'ending';
    } else {
      this.state = 'until-close';
      head.keepAlive = false;
    }
    return 'head';
  }

  private readLength(end: number): ParserEvent {
    if (this.at >= end) return 'more';
    const length = Math.min(this.remaining, end - this.at);
    this.dataStart = this.at;
    this.at = this.dataEnd = this.at + length;
    this.remaining -= length;
    if (this.remaining === 0) this.state = 'ending';
    return 'body';
  }

  private readChunk(bytes: Buffer, end: number): ParserEvent {
    const chunks = this.chunks as ChunkDecoder;
    chunks.at = this.at;
    const step = chunks.next(bytes, end);
    this.at = chunks.at;
    switch (step) {
      case 'data':
        this.dataStart = chunks.dataStart;
        this.dataEnd = chunks.dataEnd;
        return this.body();
      case 'end':
        return this.finish();
      case 'more':
        return 'more';
      case 'malformed':
        return this.broke('a malformed chunked body');
    }
  }

  /** A stretch of a body without an announced length: bounded as it comes. */
  private body(): ParserEvent {
    this.bodyBytes += this.dataEnd - this.dataStart;
    return this.bodyBytes > this.limits.bodyBytes ? this.brokeLimit() : 'body';
  }

  private finish(): ParserEvent {
    this.state = 'head';
    this.informational = 0;
    return 'end';
  }

  private brokeLimit(): ParserEvent {
    this.isOverLimit = true;
    return this.broke(overLimit('an answer', this.limits.bodyBytes));
  }

  private broke(problem: string): ParserEvent {
    this.problem = problem;
    this.state = 'broken';
    return 'broken';
  }
}

/** The offset after the blank line that ends a head, searched from `from`; -1: it is not there yet. */
function endOfHead(bytes: Buffer, from: number): number {
  for (let lf = bytes.indexOf(LF, from); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
    if (bytes[lf + 1] === LF) return lf + 2;
    if (bytes[lf + 1] === CR && bytes[lf + 2] === LF) return lf + 3;
  }
  return -1;
}
