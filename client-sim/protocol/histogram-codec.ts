import { deflateSync, inflateSync } from 'node:zlib';

/**
 * The same bounds everywhere, so that merging loses nothing: integer microseconds, 1 us to
 * 1 h, 3 significant digits, no resizing.
 */
export const HISTOGRAM_BOUNDS = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
  autoResize: false,
} as const;

/** Number of count cells of a histogram with these bounds: 22 doublings cover the highest value, (22 + 1) x 1024. */
export const HISTOGRAM_CELLS = 23_552;

/**
 * The layout of HdrHistogram's counts (3 digits, unit 1) in two lines of integer arithmetic. Recording with it costs
 * 2-3 ns where the library costs 13-18, and only the cells in use travel from an engine thread to the main thread.
 * A test holds it equal to the library's own index for every cell.
 */
export function cellOf(us: number): number {
  const bucket = Math.max(0, 21 - Math.clz32(us));
  return (bucket << 10) + (us >>> bucket);
}

/** Lowest value a cell counts, microseconds. */
export function cellLowest(cell: number): number {
  const bucket = Math.max(0, (cell >>> 10) - 1);
  return (cell - (bucket << 10)) * 2 ** bucket;
}

/** Number of different microseconds a cell counts. */
export function cellWidth(cell: number): number {
  return 2 ** Math.max(0, (cell >>> 10) - 1);
}

// HdrHistogram's V2 format (HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoCompressedByteBuffer): an outer
// header, then deflated: an inner header of 40 bytes and the counts as "ZigZag LEB128" words.
const V2_COOKIE = 0x1c849303;
const V2_COMPRESSED_COOKIE = 0x1c849304;
/** The bits of a cookie that name the size of a word. Readers ignore them. */
const WORD_SIZE_BITS = 0xf0;
const ZIGZAG_WORDS = 0x10;
const OUTER_HEADER_BYTES = 8;
const HEADER_BYTES = 40;
/** A run of empty cells and one count, at their longest: 3 and 8 bytes. */
const CELL_BYTES = 11;
const MAX_WORD_BYTES = 9;

let scratch = Buffer.allocUnsafe(16_384);

/** Cells and their counts in turn, cells rising, every count above 0: `[cell, count, cell, count, ...]`. */
export type CellList = readonly number[];

/** The cells that hold something, in order. */
export function cellList(cells: ReadonlyMap<number, number>): CellList {
  const list: number[] = [];
  for (const cell of ascending(cells)) {
    const count = cells.get(cell) ?? 0;
    if (count > 0) list.push(cell, count);
  }
  return list;
}

/** One thread hands its cells over in order; those of several threads are mixed. */
function ascending(cells: ReadonlyMap<number, number>): Uint32Array {
  const order = Uint32Array.from(cells.keys());
  for (let index = 1; index < order.length; index++)
    if ((order[index] as number) < (order[index - 1] as number)) return order.sort();
  return order;
}

/**
 * Encodes counts (below 2^52) into V2 compressed base64, which every HdrHistogram tool reads; undefined when there are
 * none. Written straight from the cells that hold something: the library goes over all 23,552 and compresses in plain
 * JavaScript, which takes three to five times as long.
 */
export function encodeCells(cells: CellList): string | undefined {
  if (cells.length === 0) return undefined;
  const needed = HEADER_BYTES + (cells.length / 2) * CELL_BYTES;
  if (scratch.length < needed) scratch = Buffer.allocUnsafe(2 * needed);
  let at = HEADER_BYTES;
  let next = 0;
  for (let index = 0; index < cells.length; index += 2) {
    const cell = cells[index] as number;
    // One empty cell is a count of 0, several are their number, negative.
    if (cell > next) at = writeWord(at, cell - next > 1 ? 2 * (cell - next) - 1 : 0);
    at = writeWord(at, 2 * (cells[index + 1] as number));
    next = cell + 1;
  }
  writeHeader(at - HEADER_BYTES);
  const deflated = deflateSync(scratch.subarray(0, at), { level: 1 });
  const encoded = Buffer.allocUnsafe(OUTER_HEADER_BYTES + deflated.length);
  encoded.writeInt32BE(V2_COMPRESSED_COOKIE | ZIGZAG_WORDS, 0);
  encoded.writeInt32BE(deflated.length, 4);
  encoded.set(deflated, OUTER_HEADER_BYTES);
  return encoded.toString('base64');
}

/** What a packed histogram begins with; `:` is no letter of base64. */
const PACKED = 'c:';

/**
 * The form in which workers send histograms: for each cell that holds something the number of empty cells before it and
 * its count, as LEB128 words, in base64; undefined when there are none. A batch has dozens of small histograms, and to
 * inflate each of them (V2) costs the controller thirty times as much as to read this.
 */
export function packCells(cells: CellList): string | undefined {
  if (cells.length === 0) return undefined;
  // First, since it may need a larger buffer.
  const end = writePacked(cells);
  return PACKED + scratch.toString('base64', 0, end);
}

/** The same in bytes, to keep in memory. */
export function packToBytes(cells: CellList): Uint8Array {
  const end = writePacked(cells);
  return new Uint8Array(scratch.subarray(0, end));
}

/** @throws HistogramError */
export function unpackBytes(bytes: Uint8Array): CellList {
  return readPacked(bytes);
}

/** @returns the end in `scratch` */
function writePacked(cells: CellList): number {
  const needed = (cells.length / 2) * CELL_BYTES;
  if (scratch.length < needed) scratch = Buffer.allocUnsafe(2 * needed);
  let at = 0;
  let next = 0;
  for (let index = 0; index < cells.length; index += 2) {
    const cell = cells[index] as number;
    at = writeWord(writeWord(at, cell - next), cells[index + 1] as number);
    next = cell + 1;
  }
  return at;
}

/**
 * LEB128: seven bits a byte, the lowest first. The caller has made a negative number (a run of zeros) odd and a count
 * even (ZigZag).
 */
function writeWord(at: number, word: number): number {
  let rest = word;
  while (rest > 0x7f) {
    scratch[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  scratch[at] = rest;
  return at + 1;
}

function writeHeader(payloadBytes: number): void {
  scratch.writeInt32BE(V2_COOKIE | ZIGZAG_WORDS, 0);
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

export class HistogramError extends Error {
  readonly code = 'histogram.unreadable';
}

/**
 * Reads a histogram straight into a list of its cells, which is all a merge needs. It may be packed (`packCells`) or V2
 * compressed base64, as earlier versions sent them. The library's decoder allocates a full counts array for each
 * histogram, and merging an hours-long run again decodes millions of them.
 * @throws HistogramError when the text is neither, or has other bounds than ours
 */
export function decodeHistogram(text: string): CellList {
  if (text.startsWith(PACKED)) return readPacked(Buffer.from(text.slice(PACKED.length), 'base64'));
  return readV2(readPayload(Buffer.from(text, 'base64')));
}

function readPayload(encoded: Buffer): Buffer {
  if (encoded.length < OUTER_HEADER_BYTES || cookieOf(encoded) !== V2_COMPRESSED_COOKIE) {
    throw new HistogramError('not an HdrHistogram in V2 compressed encoding');
  }
  const plain = inflate(encoded.subarray(OUTER_HEADER_BYTES, OUTER_HEADER_BYTES + encoded.readInt32BE(4)));
  if (plain.length < HEADER_BYTES || cookieOf(plain) !== V2_COOKIE) {
    throw new HistogramError('an HdrHistogram whose inner header is not V2');
  }
  checkBounds(plain);
  return plain.subarray(HEADER_BYTES, HEADER_BYTES + plain.readInt32BE(4));
}

function cookieOf(bytes: Buffer): number {
  return bytes.readInt32BE(0) & ~WORD_SIZE_BITS;
}

function inflate(bytes: Buffer): Buffer {
  try {
    // A full counts array of the longest words is the most a valid histogram can need.
    return inflateSync(bytes, { maxOutputLength: HEADER_BYTES + HISTOGRAM_CELLS * MAX_WORD_BYTES });
  } catch (cause) {
    throw new HistogramError('an HdrHistogram whose compressed part is broken', { cause });
  }
}

function checkBounds(header: Buffer): void {
  const ours = HISTOGRAM_BOUNDS;
  const digits = header.readInt32BE(12);
  const lowest = Number(header.readBigInt64BE(16));
  const highest = Number(header.readBigInt64BE(24));
  const same =
    digits === ours.numberOfSignificantValueDigits &&
    lowest === ours.lowestDiscernibleValue &&
    highest === ours.highestTrackableValue;
  if (same) return;
  throw new HistogramError(
    `an HdrHistogram with bounds ${lowest}..${highest}, ${digits} digits; only ` +
      `${ours.lowestDiscernibleValue}..${ours.highestTrackableValue}, ` +
      `${ours.numberOfSignificantValueDigits} digits merge without loss`,
  );
}

/** Reads LEB128 words: seven bits a byte, the lowest first, the ninth byte whole. */
class WordReader {
  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
  ) {}

  /** Where the next word begins. */
  get end(): number {
    return this.at;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Plain numbers: a count above 2^53 cannot happen here. */
  next(): number {
    let word = 0;
    let scale = 1;
    for (let length = 1; ; length += 1) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new HistogramError('an HdrHistogram that ends in the middle of a count');
      if (length === MAX_WORD_BYTES || byte < 0x80) return word + byte * scale;
      word += (byte & 0x7f) * scale;
      scale *= 128;
    }
  }
}

function readV2(payload: Uint8Array): CellList {
  const words = new WordReader(payload);
  const cells: number[] = [];
  let cell = 0;
  while (!words.atEnd) {
    // ZigZag: even n is the count n/2, odd n the negative -(n+1)/2: so many empty cells.
    const word = words.next();
    if (word % 2 === 1) cell += (word + 1) / 2;
    else {
      if (word > 0) cells.push(cell, word / 2);
      cell += 1;
    }
    if (cell > HISTOGRAM_CELLS) throw new HistogramError('an HdrHistogram with counts beyond its highest value');
  }
  return cells;
}

function readPacked(bytes: Uint8Array): CellList {
  const cells: number[] = [];
  let next = 0;
  for (let at = 0; at < bytes.length; ) {
    let [empty, count] = [bytes[at] as number, bytes[at + 1] as number];
    // Nearly all words are one byte.
    if (empty < 0x80 && count < 0x80) at += 2;
    else {
      const words = new WordReader(bytes, at);
      [empty, count] = [words.next(), words.next()];
      at = words.end;
    }
    const cell = next + empty;
    if (cell >= HISTOGRAM_CELLS) throw new HistogramError('a histogram with counts beyond its highest value');
    if (count === 0) throw new HistogramError('a packed histogram with an empty cell');
    cells.push(cell, count);
    next = cell + 1;
  }
  return cells;
}
