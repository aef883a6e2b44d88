import { isUtf8 } from 'node:buffer';
import { ANSWER_BYTES, overLimit } from '../../mcp/judge-message.js';
import { BodyCollector } from '../socket/body-collector.js';

/** Receives what a frame parser reads. Bytes are valid only during the call: the read buffer is reused. */
export interface FrameHandler {
  /** A whole text message. The handler checks that it is UTF-8: bytes that it knows already need no check. */
  onText(bytes: Buffer, start: number, end: number): void;
  onPing(payload: Buffer): void;
  /** @param code 1005: the frame had none */
  onClose(code: number, reason: string): void;
}

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE_FRAME = 0x8;
const PING = 0x9;
const PONG = 0xa;

const FIN = 0x80;
const MASKED = 0x80;
/** A whole text message in one frame, like nearly all messages. */
const FIN_TEXT = FIN | TEXT;

const MAX_HEAD_BYTES = 10;
const MAX_CONTROL_BYTES = 125;
const TWO_TO_32 = 4_294_967_296;

/**
 * Resumable parser of a server's frames (RFC 6455, 5.2): unmasked frames, and fragmented messages with control frames
 * in between. A message that lies whole in the read buffer is never copied; memory is bounded by the longest message.
 */
export class FrameParser {
  /** Why it stopped reading, after `read` returned false. */
  problem = '';
  /** Its problem is the length of a message. */
  isOverLimit = false;
  /** The close code to send then. */
  closeCode = 0;
  /** Set by the caller to ignore the rest of this read. */
  stopped = false;

  private readonly body = new BodyCollector();
  private fragmented = false;
  private opcode = -1;
  private fin = false;
  private remaining = 0;
  private head: Buffer | undefined;
  private headBytes = 0;
  private control: Buffer | undefined;
  private controlBytes = 0;

  /** @param maxMessageBytes longest message that is read; with fragments, all of them together */
  constructor(private readonly maxMessageBytes: number = ANSWER_BYTES) {}

  /** No byte of a message has been read yet. */
  get idle(): boolean {
    return this.opcode < 0 && this.headBytes === 0 && !this.fragmented;
  }

  /** Reads everything in bytes[start, end). @returns false: it stopped, see `problem` */
  read(bytes: Buffer, start: number, end: number, handler: FrameHandler): boolean {
    let at = start;
    while (at < end && !this.stopped) {
      if (this.opcode < 0) {
        // The fast path: an unfragmented text message of under 64 KiB that lies whole in the buffer.
        if (this.headBytes === 0 && bytes[at] === FIN_TEXT && !this.fragmented && end - at >= 4) {
          const short = bytes[at + 1] as number;
          const from = short === 126 ? at + 4 : at + 2;
          const to = from + (short === 126 ? ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number) : short);
          if (short <= 126 && to <= end && to - from <= this.maxMessageBytes) {
            at = to;
            handler.onText(bytes, from, to);
            continue;
          }
        }
        at = this.readHead(bytes, at, end);
        if (this.problem !== '') return false;
        if (this.opcode < 0) break;
      }
      const take = Math.min(this.remaining, end - at);
      this.remaining -= take;
      if (this.opcode >= CLOSE_FRAME) this.addControl(bytes, at, at + take);
      else this.body.add(bytes, at, at + take);
      at += take;
      if (this.remaining === 0 && !this.finishFrame(handler)) return false;
    }
    this.body.settle();
    return this.problem === '';
  }

  /** Stops reading. */
  reject(closeCode: number, problem: string): void {
    this.closeCode = closeCode;
    this.problem = problem;
    this.stopped = true;
    this.body.reset();
  }

  /** Reads a head, or the part of it that came. @returns where its payload begins */
  private readHead(bytes: Buffer, start: number, end: number): number {
    const head = (this.head ??= Buffer.allocUnsafe(MAX_HEAD_BYTES));
    let at = start;
    let needed = 2;
    do {
      if (at === end) return at;
      head[this.headBytes++] = bytes[at++] as number;
      if (this.headBytes === 2) {
        this.checkStart(head[0] as number, head[1] as number);
        if (this.problem !== '') return at;
      }
      if (this.headBytes >= 2) needed = headLength((head[1] as number) & 127);
    } while (this.headBytes < needed);
    this.headBytes = 0;
    this.begin(head);
    return at;
  }

  private checkStart(first: number, second: number): void {
    const opcode = first & 15;
    const isControl = opcode >= CLOSE_FRAME;
    if ((first & 0x70) !== 0)
      this.reject(CLOSE.protocolError, 'a frame with a reserved bit, although no extension was negotiated');
    else if ((second & MASKED) !== 0) this.reject(CLOSE.protocolError, 'a masked frame, which only clients may send');
    else if (opcode > PONG || (opcode > BINARY && opcode < CLOSE_FRAME))
      this.reject(CLOSE.protocolError, `a frame with the unknown opcode ${opcode}`);
    else if (isControl && (first & FIN) === 0) this.reject(CLOSE.protocolError, 'a control frame in fragments');
    else if (isControl && (second & 127) > MAX_CONTROL_BYTES)
      this.reject(CLOSE.protocolError, `a control frame of more than ${MAX_CONTROL_BYTES} bytes`);
    else if (opcode === 0 && !this.fragmented)
      this.reject(CLOSE.protocolError, 'a continuation frame without a message to continue');
    else if ((opcode === TEXT || opcode === BINARY) && this.fragmented)
      this.reject(CLOSE.protocolError, 'a new message within a fragmented one');
    else if (opcode === BINARY) this.reject(CLOSE.unsupported, 'a binary message, although MCP messages are text');
  }

  private begin(head: Buffer): void {
    const length = payloadLength(head);
    const opcode = (head[0] as number) & 15;
    if (opcode < CLOSE_FRAME && this.body.length + length > this.maxMessageBytes) {
      this.isOverLimit = true;
      return this.reject(CLOSE.tooBig, overLimit('a message', this.maxMessageBytes));
    }
    this.opcode = opcode;
    this.fin = ((head[0] as number) & FIN) !== 0;
    this.remaining = length;
    this.controlBytes = 0;
  }

  private addControl(bytes: Buffer, start: number, end: number): void {
    const control = (this.control ??= Buffer.allocUnsafe(MAX_CONTROL_BYTES));
    bytes.copy(control, this.controlBytes, start, end);
    this.controlBytes += end - start;
  }

  private finishFrame(handler: FrameHandler): boolean {
    const { opcode, body } = this;
    this.opcode = -1;
    if (opcode >= CLOSE_FRAME) return this.finishControl(opcode, handler);
    this.fragmented = !this.fin;
    if (!this.fin) return true;
    const { bytes, start, end } = body;
    body.reset();
    handler.onText(bytes, start, end);
    return true;
  }

  private finishControl(opcode: number, handler: FrameHandler): boolean {
    const payload = this.control?.subarray(0, this.controlBytes) ?? Buffer.alloc(0);
    // A pong is a heartbeat (RFC 6455, 5.5.3), since we send no pings.
    if (opcode === PING) handler.onPing(payload);
    if (opcode !== CLOSE_FRAME) return true;
    const code = payload.length < 2 ? CLOSE.none : payload.readUInt16BE(0);
    const reason = payload.subarray(2);
    if (payload.length === 1) this.reject(CLOSE.protocolError, 'a close frame of one byte');
    else if (payload.length > 1 && !isCloseCode(code))
      this.reject(CLOSE.protocolError, `the close code ${code}, which may not be sent`);
    else if (!isUtf8(reason)) this.reject(CLOSE.notUtf8, 'a close reason that is not UTF-8');
    else {
      this.stopped = true;
      handler.onClose(code, reason.toString('utf8'));
    }
    return this.problem === '';
  }
}

/** Close codes (RFC 6455, 7.4.1) that this client sends or receives. */
export const CLOSE = {
  normal: 1000,
  protocolError: 1002,
  unsupported: 1003,
  /** Stands for a close frame without a code; never sent. */
  none: 1005,
  notUtf8: 1007,
  tooBig: 1009,
} as const;

/** Bytes of a frame's head by the short length in its second byte. */
function headLength(short: number): number {
  if (short === 126) return 4;
  return short === 127 ? MAX_HEAD_BYTES : 2;
}

function payloadLength(head: Buffer): number {
  const short = (head[1] as number) & 127;
  if (short < 126) return short;
  return short === 126 ? head.readUInt16BE(2) : head.readUInt32BE(2) * TWO_TO_32 + head.readUInt32BE(6);
}

/** Codes allowed in a close frame: the registered ones, and those of libraries (3000) and applications (4000). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
