/**
 * Copies and compares eight bytes at a time. A loop over the bytes of a Buffer costs 1 to 3 ns a byte and a native call
 * 60 ns; answers and requests are full of stretches of 20 to 200 bytes, where neither is good (measured: 32 bytes
 * copied in 16 ns instead of 80, 110 bytes compared in 41 ns instead of 62).
 */
export class WordView {
  private bytes: Buffer | undefined;
  private view: DataView = new DataView(new ArrayBuffer(8));

  /** A view of the buffer. The last one is kept: there is one read buffer, and few send buffers. */
  of(bytes: Buffer): DataView {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.view;
  }
}

/** Copies ASCII only: other bytes could form a NaN, whose bits may change on the way through a number. */
export function copyAscii(from: DataView, start: number, into: DataView, at: number, length: number): void {
  let offset = 0;
  for (; offset <= length - 8; offset += 8) into.setFloat64(at + offset, from.getFloat64(start + offset, true), true);
  for (; offset < length; offset++) into.setUint8(at + offset, from.getUint8(start + offset));
}

/**
 * Whether bytes equal `fixed[from, to)`, which contains no NUL: so no word of it is 0 or -0, the only two that are
 * equal as numbers but not as bytes. A word that is a NaN equals nothing, so such bytes count as different.
 */
export function equalWords(bytes: DataView, at: number, fixed: DataView, from: number, to: number): boolean {
  let offset = from;
  for (; offset <= to - 8; offset += 8)
    if (bytes.getFloat64(at + offset, true) !== fixed.getFloat64(offset, true)) return false;
  for (; offset < to; offset++) if (bytes.getUint8(at + offset) !== fixed.getUint8(offset)) return false;
  return true;
}

const HIGH_BITS = 0x80808080 | 0;
const ONES = 0x01010101;

/** Whether bytes[from, to) are ASCII that JSON strings do not escape: no control characters, no `"`, no `\`. */
export function arePlainInJson(bytes: DataView, from: number, to: number): boolean {
  let at = from;
  // Four bytes in one number (H. S. Warren, Hacker's Delight, 6-1): a high bit is left where a byte is not plain.
  for (; at <= to - 4; at += 4) {
    const word = bytes.getInt32(at, true);
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    const found =
      word | ((word - 0x20202020) & ~word) | ((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes);
    if ((found & HIGH_BITS) !== 0) return false;
  }
  for (; at < to; at++) if (!isPlainInJson(bytes.getUint8(at))) return false;
  return true;
}

export function isPlainInJson(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
}
