/** What a client's frame may be to the sink. */
interface FrameTaker {
  /** A text message, unmasked in place. */
  onText(bytes: Buffer, start: number, end: number): void;
  /** A ping or close frame, to be sent back as its answer. */
  onControl(opcode: number, payload: Buffer): void;
}

const opcodes = { text: 1, close: 8, ping: 9 } as const;
const mostFrameBytes = 4 * 1024 * 1024;

/**
 * Frames of one client: masked, each message in one frame, which is all the sink takes. A frame that arrives whole is
 * unmasked where it lies; what a read cuts is kept until the rest is there.
 */
export class FrameReader {
  private held: Buffer = Buffer.alloc(0);

  /** @returns false for anything the sink does not take */
  read(chunk: Buffer, taker: FrameTaker): boolean {
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (bytes.length - at >= 6) {
      const first = bytes[at] ?? 0;
      const short = bytes[at + 1] ?? 0;
      if ((first & 0xf0) !== 0x80 || (short & 0x80) === 0) return false;
      const extended = (short & 127) === 126 ? 2 : (short & 127) === 127 ? 8 : 0;
      const key = at + 2 + extended;
      if (bytes.length < key + 4) break;
      const length =
        extended === 0
          ? short & 127
          : extended === 2
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (length > mostFrameBytes) return false;
      const start = key + 4;
      const end = start + length;
      if (bytes.length < end) break;
      unmask(bytes, words, key, start, end);
      at = end;
      const opcode = first & 15;
      if (opcode === opcodes.text) taker.onText(bytes, start, end);
      else if (opcode === opcodes.close || opcode === opcodes.ping) taker.onControl(opcode, bytes.subarray(start, end));
      else if (opcode !== 10) return false;
    }
    this.held = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    return true;
  }
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
  return Buffer.concat([Buffer.from([0x80 | (opcode === opcodes.ping ? 10 : opcode), payload.length]), payload]);
}
