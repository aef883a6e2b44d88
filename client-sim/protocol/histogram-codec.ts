import { deflateSync, inflateSync } from 'node:zlib';
import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';

/**
 * The same bounds everywhere, so that merging loses nothing (design: measurement 8): integer microseconds, 1 us to
 * 1 h, 3 significant digits, no resizing.
 */
export const HISTOGRAM_BOUNDS = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
  autoResize: false,
} as const;

/** Number of count cells of a histogram with these bounds: 23 half buckets of 1,024. */
export const HISTOGRAM_CELLS = 23_552;

/** Counts in 64 bits: a day at 200,000/s overflows 32. */
export function emptyHistogram(): Histogram {
  return build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 });
}

/**
 * HdrHistogram V2 compressed base64 to a histogram that can be merged with `add`. @throws Error when it is not one, or
 * has other bounds
 */
export function decodeToHistogram(base64: string): Histogram {
  const histogram = decodeFromCompressedBase64(base64);
  const same =
    histogram.highestTrackableValue === HISTOGRAM_BOUNDS.highestTrackableValue &&
    histogram.numberOfSignificantValueDigits === HISTOGRAM_BOUNDS.numberOfSignificantValueDigits;
  if (!same)
    throw new Error('histogram has other bounds than 1 us .. 1 h with 3 digits: merging it would lose precision');
  return histogram;
}

// HdrHistogram's V2 encoding (Tene et al., HistogramLogWriter format): both cookies name "ZigZag LEB128" words.
const COOKIE = 0x1c849313;
const COMPRESSED_COOKIE = 0x1c849314;
const HEAD_BYTES = 40;
/** A run of empty cells and one count, at their longest: 3 and 5 bytes. */
const CELL_BYTES = 8;

let scratch = Buffer.allocUnsafe(16_384);

/**
 * Encodes counts (below 2^32) by cell index (HdrHistogram's own layout) into V2 compressed base64; undefined when there
 * are none. Written straight from the cells that hold something: the library goes over all 23,552 and compresses in
 * plain JavaScript, which took the worker's main thread 1 to 50 ms a second, time that engine threads on the same core
 * were late by. This takes about a third (a batch of a profile's series 1 ms for 3, the first one 9 ms for 48).
 */
export function encodeCells(cells: ReadonlyMap<number, number>): string | undefined {
  if (cells.size === 0) return undefined;
  const order = ascending(cells);
  const needed = HEAD_BYTES + cells.size * CELL_BYTES;
  if (scratch.length < needed) scratch = Buffer.allocUnsafe(2 * needed);
  let at = HEAD_BYTES;
  let next = 0;
  for (const cell of order) {
    const count = cells.get(cell) ?? 0;
    if (count === 0) continue;
    // One empty cell is a count of 0, several are their number, negative.
    if (cell > next) at = putWord(at, cell - next > 1 ? 2 * (cell - next) - 1 : 0);
    at = putWord(at, 2 * count);
    next = cell + 1;
  }
  if (next === 0) return undefined;
  putHead(at - HEAD_BYTES);
  const packed = deflateSync(scratch.subarray(0, at), { level: 1 });
  const framed = Buffer.allocUnsafe(8 + packed.length);
  framed.writeInt32BE(COMPRESSED_COOKIE, 0);
  framed.writeInt32BE(packed.length, 4);
  framed.set(packed, 8);
  return framed.toString('base64');
}

/** One thread hands its cells over in order; those of several are mixed. */
function ascending(cells: ReadonlyMap<number, number>): Uint32Array {
  const order = Uint32Array.from(cells.keys());
  for (let index = 1; index < order.length; index++)
    if ((order[index] as number) < (order[index - 1] as number)) return order.sort();
  return order;
}

/**
 * LEB128: seven bits a byte, the lowest first. What is negative (a run of zeros) has been made odd by the caller
 * (ZigZag).
 */
function putWord(at: number, word: number): number {
  let rest = word;
  while (rest > 0x7f) {
    scratch[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  scratch[at] = rest;
  return at + 1;
}

function putHead(payloadBytes: number): void {
  scratch.writeInt32BE(COOKIE, 0);
  scratch.writeInt32BE(payloadBytes, 4);
  // Normalizing index offset: nothing is shifted. (hdr-histogram-js writes 1 here and an integer at the end, and reads
  // neither.)
  scratch.writeInt32BE(0, 8);
  scratch.writeInt32BE(HISTOGRAM_BOUNDS.numberOfSignificantValueDigits, 12);
  scratch.writeBigInt64BE(BigInt(HISTOGRAM_BOUNDS.lowestDiscernibleValue), 16);
  scratch.writeBigInt64BE(BigInt(HISTOGRAM_BOUNDS.highestTrackableValue), 24);
  // Integer to double conversion ratio.
  scratch.writeDoubleBE(1, 32);
}

/**
 * Reads HdrHistogram V2 compressed straight into (index, count) pairs, which is all a merge needs. The library's
 * decoder allocates a full counts array for each histogram; a refold of an hours-long run decodes millions of them.
 * Format: HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoCompressedByteBuffer (V2, ZigZag LEB128-64b9B).
 */

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
