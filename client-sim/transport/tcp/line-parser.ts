import { ANSWER_BYTES, overLimit } from '../../mcp/judge-message.js';
import { BodyCollector } from '../socket/body-collector.js';

export interface LineHandler {
  /** A line that is not empty, without its end. The bytes are valid only during the call. */
  onLine(bytes: Buffer, start: number, end: number): void;
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * Resumable parser of lines that end with LF or CRLF. A line that lies whole in the read buffer is never copied; the
 * bytes kept of any other line are bounded by the longest line.
 */
export class LineParser {
  /** Why it stopped reading, after `read` returned false. */
  problem = '';
  /** Its problem is the length of a line. */
  isOverLimit = false;
  /** Set by the caller to ignore the rest of this read. */
  stopped = false;

  private readonly line = new BodyCollector();
  private view: Buffer | undefined;
  private viewed: Buffer | undefined;

  /** @param maxLineBytes longest line that is read */
  constructor(private readonly maxLineBytes: number = ANSWER_BYTES) {}

  /** No byte of a line has been read yet. */
  get idle(): boolean {
    return this.line.length === 0;
  }

  /** Reads everything in bytes[0, end). @returns false: it stopped, see `problem` */
  read(bytes: Buffer, end: number, handler: LineHandler): boolean {
    const input = this.upTo(bytes, end);
    let at = 0;
    while (at < end && !this.stopped) {
      const found = input.indexOf(LF, at);
      const stop = found < 0 ? end : found;
      if (this.line.length + stop - at > this.maxLineBytes) {
        this.isOverLimit = true;
        this.reject(overLimit('a line', this.maxLineBytes));
        return false;
      }
      this.line.add(bytes, at, stop);
      if (found < 0) break;
      at = found + 1;
      this.finish(handler);
    }
    this.line.settle();
    return this.problem === '';
  }

  /** Stops reading. */
  reject(problem: string): void {
    this.problem = problem;
    this.stopped = true;
    this.line.reset();
  }

  private finish(handler: LineHandler): void {
    const { bytes, start, end } = this.line;
    this.line.reset();
    const stop = end > start && bytes[end - 1] === CR ? end - 1 : end;
    if (stop > start) handler.onLine(bytes, start, stop);
  }

  /**
   * A view of the bytes read, so that the native search does not run on into an earlier read's bytes. It is kept,
   * because reads tend to have one length.
   */
  private upTo(bytes: Buffer, end: number): Buffer {
    if (this.view === undefined || this.viewed !== bytes || this.view.length !== end) {
      this.view = bytes.subarray(0, end);
      this.viewed = bytes;
    }
    return this.view;
  }
}
