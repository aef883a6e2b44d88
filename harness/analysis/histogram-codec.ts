/**
 * Reads HdrHistogram V2 compressed straight into (index, count) pairs, which is all a merge needs. The library's
 * decoder allocates a full counts array for each histogram; a refold of an hours-long run decodes millions of them.
 * Format: HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoCompressedByteBuffer (V2, ZigZag LEB128-64b9B).
 */
import { inflateSync } from 'node:zlib';

/** The same bounds everywhere (design: measurement 8): integer microseconds, 1 us to 1 h, 3 significant digits. */
export const bounds = { lowest: 1, highest: 3_600_000_000, digits: 3 } as const;

const compressedCookie = 0x1c849304;
const plainCookie = 0x1c849303;
const cookieMask = ~0xf0;
const headerBytes = 40;
/** 22 doublings cover the highest value; (buckets + 1) x 1024. */
export const indexLimit = 23_552;

export class HistogramError extends Error {
  readonly code = 'histogram.unreadable';
}

export type CountPair = readonly [index: number, count: number];

/**
 * Every index with a count above zero, rising.
 * @throws HistogramError when the text is not such a histogram or has other bounds than ours
 */
export function decodeHistogram(base64: string): readonly CountPair[] {
  return readPairs(readPayload(Buffer.from(base64, 'base64')));
}

function readPayload(compressed: Buffer): Buffer {
  if (compressed.length < 8 || (compressed.readInt32BE(0) & cookieMask) !== compressedCookie) {
    throw new HistogramError('not an HdrHistogram in V2 compressed encoding');
  }
  const plain = inflate(compressed.subarray(8, 8 + compressed.readInt32BE(4)));
  if (plain.length < headerBytes || (plain.readInt32BE(0) & cookieMask) !== plainCookie) {
    throw new HistogramError('an HdrHistogram whose inner header is not V2');
  }
  const digits = plain.readInt32BE(12);
  const lowest = Number(plain.readBigInt64BE(16));
  const highest = Number(plain.readBigInt64BE(24));
  if (digits !== bounds.digits || lowest !== bounds.lowest || highest !== bounds.highest) {
    throw new HistogramError(
      `an HdrHistogram with bounds ${lowest}..${highest}, ${digits} digits; only ${bounds.lowest}..${bounds.highest}, ${bounds.digits} digits merge without loss`,
    );
  }
  return plain.subarray(headerBytes, headerBytes + plain.readInt32BE(4));
}

function inflate(bytes: Buffer): Buffer {
  try {
    // A full counts array of 9-byte words is the most an honest histogram can need.
    return inflateSync(bytes, { maxOutputLength: headerBytes + indexLimit * 9 });
  } catch (cause) {
    throw new HistogramError('an HdrHistogram whose compressed part is broken', { cause });
  }
}

function readPairs(payload: Buffer): readonly CountPair[] {
  const pairs: CountPair[] = [];
  let index = 0;
  let at = 0;
  while (at < payload.length) {
    // LEB128: 7 bits a byte, low first, the ninth byte whole. Plain numbers: a count above 2^53 cannot happen here.
    let zigzag = 0;
    let scale = 1;
    for (let length = 1; ; length += 1) {
      const byte = payload[at++];
      if (byte === undefined) throw new HistogramError('an HdrHistogram that ends in the middle of a count');
      if (length === 9 || byte < 0x80) {
        zigzag += byte * scale;
        break;
      }
      zigzag += (byte & 0x7f) * scale;
      scale *= 128;
    }
    // ZigZag: even n is the count n/2, odd n the negative -(n+1)/2: so many empty indices.
    if (zigzag % 2 === 1) index += (zigzag + 1) / 2;
    else {
      if (zigzag > 0) pairs.push([index, zigzag / 2]);
      index += 1;
    }
    if (index > indexLimit) throw new HistogramError('an HdrHistogram with counts beyond its highest value');
  }
  return pairs;
}

/** Lowest value of an index. HdrHistogram's valueFromIndex for 2048 sub-buckets of unit 1. */
export function valueOfIndex(index: number): number {
  const bucket = (index >> 10) - 1;
  return bucket < 0 ? index : ((index & 1023) + 1024) * 2 ** bucket;
}
