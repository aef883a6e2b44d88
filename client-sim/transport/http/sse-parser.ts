import { BodyCollector } from '../socket/body-collector.js';
import { HEAD_BYTES, type ParserLimits } from './response-parser.js';

/** Server-sent events (WHATWG HTML, 9.2.6), incremental. */

export interface SseHandler {
  /**
   * One event with its data (the lines of `data` joined by LF), valid only during the call. Its type is `message`
   * where the stream names none. An event without data, as MCP servers send first, has `start === end`.
   */
  onEvent(type: string, bytes: Buffer, start: number, end: number): void;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const LINE_FEED = Buffer.from('\n', 'latin1');
/**
 * A whole stream may have any length; the length of a single event is bounded like that of an answer. Callers of `feed`
 * check that after each read, so `held` exceeds it by at most one read.
 */
export const STREAM_LIMITS: ParserLimits = { headBytes: HEAD_BYTES, bodyBytes: Infinity };
/** Beyond this a native search beats the loop (1 ns a byte against some 120 ns a call). */
const LONG_LINE = 256;

export class SseParser {
  /** Id of the last whole event: one that was cut off must be requested again. */
  lastEventId = '';
  /** From `retry:`; -1: never sent. */
  retryMs = -1;

  private readonly line = new BodyCollector();
  private readonly data = new BodyCollector();
  private hasData = false;
  /** Id of the event being read, or the last id before it. */
  private id = '';
  private type = '';
  private firstLine = true;
  /** The last byte was a CR, so a LF that comes first belongs to it. */
  private afterCr = false;

  /** Bytes of an unfinished event. */
  get held(): number {
    return this.line.length + this.data.length;
  }

  reset(): void {
    this.line.reset();
    this.data.reset();
    this.hasData = false;
    this.type = '';
    this.firstLine = true;
    this.afterCr = false;
    this.lastEventId = '';
    this.id = '';
    this.retryMs = -1;
  }

  feed(bytes: Buffer, start: number, end: number, handler: SseHandler): void {
    let at = start;
    if (this.afterCr && at < end) {
      this.afterCr = false;
      if (bytes[at] === LF) at++;
    }
    while (at < end) {
      const lineEnd = findLineEnd(bytes, at, end);
      this.line.add(bytes, at, lineEnd);
      if (lineEnd === end) return;
      at = lineEnd + 1;
      if (bytes[lineEnd] === CR) {
        if (at === end) this.afterCr = true;
        else if (bytes[at] === LF) at++;
      }
      this.endLine(handler);
    }
  }

  /** The buffer given to `feed` is about to be reused. */
  settle(): void {
    this.line.settle();
    this.data.settle();
  }

  private endLine(handler: SseHandler): void {
    const { line } = this;
    if (this.firstLine) {
      this.firstLine = false;
      if (line.length >= 3 && line.bytes.compare(BOM, 0, 3, line.start, line.start + 3) === 0) line.start += 3;
    }
    if (line.length === 0) this.dispatch(handler);
    else this.readField(line.bytes, line.start, line.end);
    line.reset();
  }

  private readField(bytes: Buffer, start: number, end: number): void {
    let colon = start;
    // The longest field names are `event` and `retry`; a field with a later colon is unknown.
    const last = Math.min(end, start + 6);
    while (colon < last && bytes[colon] !== COLON) colon++;
    if (colon === start || (colon === last && last < end)) return;
    let value = Math.min(colon + 1, end);
    if (value < end && bytes[value] === SPACE) value++;
    if (isData(bytes, start, colon)) {
      if (this.hasData) this.data.add(LINE_FEED, 0, 1);
      if (value < end) this.data.add(bytes, value, end);
      this.hasData = true;
      return;
    }
    const text = bytes.toString('utf8', value, end);
    switch (bytes.toString('latin1', start, colon)) {
      case 'event':
        this.type = text;
        return;
      case 'id':
        if (!text.includes('\0')) this.id = text;
        return;
      case 'retry':
        if (/^\d{1,9}$/.test(text)) this.retryMs = Number(text);
        return;
    }
  }

  private dispatch(handler: SseHandler): void {
    this.lastEventId = this.id;
    if (this.hasData) handler.onEvent(this.type || 'message', this.data.bytes, this.data.start, this.data.end);
    this.data.reset();
    this.hasData = false;
    this.type = '';
  }
}

function isData(bytes: Buffer, start: number, colon: number): boolean {
  return (
    colon - start === 4 &&
    bytes[start] === 0x64 &&
    bytes[start + 1] === 0x61 &&
    bytes[start + 2] === 0x74 &&
    bytes[start + 3] === 0x61
  );
}

/** Offset of the first CR or LF in [start, end), else `end`. */
function findLineEnd(bytes: Buffer, start: number, end: number): number {
  const near = Math.min(end, start + LONG_LINE);
  for (let at = start; at < near; at++) if (bytes[at] === LF || bytes[at] === CR) return at;
  if (near === end) return end;
  const rest = bytes.subarray(near, end);
  const lf = rest.indexOf(LF);
  const cr = (lf < 0 ? rest : rest.subarray(0, lf)).indexOf(CR);
  if (cr >= 0) return near + cr;
  return lf < 0 ? end : near + lf;
}
