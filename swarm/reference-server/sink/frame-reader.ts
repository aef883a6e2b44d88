/** Called for the frames of a client. */
interface FrameHandler {
  /** A text message, unmasked in place. */
  onText(bytes: Buffer, start: number, end: number): void;
  /** A ping or close frame, to be answered with `controlAnswer`. */
  onControl(opcode: number, payload: Buffer): void;
}

const TEXT = 1;
export const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** The largest frame, and the longest line of JSON-RPC, that the sink takes. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/**
 * The frames of one client (RFC 6455, 5.2): masked, and each message in one frame, since the sink takes nothing else. A
 * frame that arrives whole is unmasked in place; an incomplete one is kept until the rest arrives.
 */
export class FrameReader {
  private held: Buffer = Buffer.alloc(0);

  /** @returns false for a frame that the sink does not take */
  read(chunk: Buffer, handler: FrameHandler): boolean {
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (bytes.length - at >= 6) {
      const first = bytes[at] ?? 0;
      const second = bytes[at + 1] ?? 0;
      if ((first & 0xf0) !== 0x80 || (second & 0x80) === 0) return false;
      const short = second & 127;
      const key = at + 2 + extendedLengthBytes(short);
      if (bytes.length < key + 4) break;
      const length = payloadLength(bytes, at + 2, short);
      if (length > MAX_FRAME_BYTES) return false;
      const start = key + 4;
      const end = start + length;
      if (bytes.length < end) break;
      unmask(bytes, words, key, start, end);
      at = end;
      const opcode = first & 15;
      if (opcode === TEXT) handler.onText(bytes, start, end);
      else if (opcode === CLOSE || opcode === PING) handler.onControl(opcode, bytes.subarray(start, end));
      else if (opcode !== PONG) return false;
    }
    this.held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    return true;
  }
}

function extendedLengthBytes(short: number): number {
  if (short < 126) return 0;
  return short === 126 ? 2 : 8;
}

function payloadLength(bytes: Buffer, at: number, short: number): number {
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at) : Number(bytes.readBigUInt64BE(at));
}

/** Four bytes at a time. */
function unmask(bytes: Buffer, words: DataView, key: number, start: number, end: number): void {
  const mask = words.getInt32(key, true);
  let at = start;
  for (; at <= end - 4; at += 4) words.setInt32(at, words.getInt32(at, true) ^ mask, true);
  for (let shift = 0; at < end; at += 1, shift += 8) bytes[at] = (bytes[at] ?? 0) ^ ((mask >>> shift) & 255);
}

/** An unmasked control frame: pong for ping, close for close. */
export function controlAnswer(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | (opcode === PING ? PONG : opcode), payload.length]), payload]);
}
