/**
 * Histogram counts by HdrHistogram cell, made for merging and for keeping thousands of them. The library prints them;
 * it works on the result of `toHistogram`.
 */
import hdr, { type Histogram } from 'hdr-histogram-js';
import {
  type CellList,
  cellLowest,
  cellWidth,
  decodeHistogram,
  encodeCells,
  HISTOGRAM_BOUNDS,
  HISTOGRAM_CELLS,
  packToBytes,
  unpackBytes,
} from '../../../client-sim/protocol/histogram-codec.js';

/** From so many cells on, a histogram is an array up to its highest cell (90 KiB at 100 ms); before, a hash table. */
const DENSE_FROM = 512;
/** Earlier where the array is small: it has at most so many places for each cell in use. */
const DENSE_PLACES = 8;

/**
 * It takes one of four forms: the only list that was added, a hash table of few cells, an array of many, or bytes while
 * nothing is added. Most histograms of a second see one list, those of a run see thousands.
 */
export class HdrCounts {
  private only: CellList | undefined = EMPTY;
  private sparse: SparseCells | undefined;
  private dense: DenseCells | undefined;
  private packed: Uint8Array | undefined;
  private _total = 0;

  get total(): number {
    return this._total;
  }

  /** @param list kept as it is, so it must not change later */
  addCells(list: CellList): this {
    if (list.length === 0) return this;
    if (this.only === EMPTY) {
      this.only = list;
      this._total = sumOf(list);
      return this;
    }
    this._total += this.open().addList(list);
    this.becomeDense(list.at(-2) as number);
    return this;
  }

  addAll(other: HdrCounts): this {
    return this.addCells(other.toList());
  }

  /** Every cell with a count, rising. */
  each(visit: (cell: number, count: number) => void): void {
    const counts = this.dense ?? this.sparse;
    if (counts !== undefined) {
      counts.each(visit);
      return;
    }
    const list = this.toList();
    for (let at = 0; at < list.length; at += 2) visit(list[at] as number, list[at + 1] as number);
  }

  toList(): CellList {
    if (this.only !== undefined) return this.only;
    if (this.packed !== undefined) return unpackBytes(this.packed);
    return (this.dense ?? this.open()).toList();
  }

  /** Takes two or three bytes a cell from now on; whatever is added later opens it again. */
  pack(): void {
    if (this.packed !== undefined || this.only === EMPTY) return;
    this.packed = packToBytes(this.toList());
    this.only = undefined;
    this.sparse = undefined;
    this.dense = undefined;
  }

  private open(): SparseCells | DenseCells {
    const counts = this.dense ?? this.sparse;
    if (counts !== undefined) return counts;
    const list = this.toList();
    this.only = undefined;
    this.packed = undefined;
    this.sparse = new SparseCells(list.length);
    this.sparse.addList(list);
    this.becomeDense(list.at(-2) as number);
    return this.dense ?? this.sparse;
  }

  private becomeDense(highest: number): void {
    const { sparse } = this;
    if (sparse === undefined || (sparse.size < DENSE_FROM && highest >= DENSE_PLACES * sparse.size)) return;
    const list = sparse.toList();
    // The newest list may end lower than those before it.
    if (sparse.size < DENSE_FROM && (list.at(-2) as number) >= DENSE_PLACES * sparse.size) return;
    const dense = new DenseCells();
    dense.addList(list);
    this.dense = dense;
    this.sparse = undefined;
  }
}

const EMPTY: CellList = [];

const sums = new Float64Array(HISTOGRAM_CELLS);
/** A bit for each cell of `sums` in use. */
const inUse = new Uint32Array(HISTOGRAM_CELLS / 32);

/** The sum of lists that are added once and together: faster than a `HdrCounts` of them. */
export function sumOfLists(lists: readonly CellList[]): CellList {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length < 2) return filled[0] ?? EMPTY;
  for (const list of filled) {
    for (let at = 0; at < list.length; at += 2) {
      const cell = list[at] as number;
      sums[cell] = (sums[cell] as number) + (list[at + 1] as number);
      inUse[cell >>> 5] = (inUse[cell >>> 5] as number) | (1 << (cell & 31));
    }
  }
  const sum: number[] = [];
  for (let word = 0; word < inUse.length; word += 1) {
    for (let bits = inUse[word] as number; bits !== 0; bits &= bits - 1) {
      const cell = (word << 5) + 31 - Math.clz32(bits & -bits);
      sum.push(cell, sums[cell] as number);
      sums[cell] = 0;
    }
    inUse[word] = 0;
  }
  return sum;
}

function sumOf(list: CellList): number {
  let sum = 0;
  for (let at = 1; at < list.length; at += 2) sum += list[at] as number;
  return sum;
}

/** Anything that can name its cells and their counts. */
export type CountSource = Pick<HdrCounts, 'each'>;

/** An array by cell, which grows with the highest one. */
class DenseCells {
  private counts = new Float64Array(0);

  /** @returns the sum of the counts */
  addList(list: CellList): number {
    const highest = list.at(-2) as number;
    if (highest >= this.counts.length) {
      const grown = new Float64Array(Math.max((highest & ~1023) + 1024, 1.5 * this.counts.length));
      grown.set(this.counts);
      this.counts = grown;
    }
    const { counts } = this;
    let sum = 0;
    for (let at = 0; at < list.length; at += 2) {
      const [cell, count] = [list[at] as number, list[at + 1] as number];
      counts[cell] = (counts[cell] as number) + count;
      sum += count;
    }
    return sum;
  }

  each(visit: (cell: number, count: number) => void): void {
    for (let cell = 0; cell < this.counts.length; cell += 1) {
      const count = this.counts[cell] as number;
      if (count > 0) visit(cell, count);
    }
  }

  toList(): CellList {
    const { counts } = this;
    const list: number[] = [];
    for (let cell = 0; cell < counts.length; cell += 1) {
      const count = counts[cell] as number;
      if (count > 0) list.push(cell, count);
    }
    return list;
  }
}

/** A hash table with open addressing, at most three quarters full. */
class SparseCells {
  /** The cell plus 1; 0 is a free place. */
  private keys: Uint16Array;
  private counts: Float64Array;
  private used = 0;

  /** @param numbers of the list that will be added first */
  constructor(numbers: number) {
    const places = 1 << (32 - Math.clz32(Math.max(16, numbers)));
    this.keys = new Uint16Array(places);
    this.counts = new Float64Array(places);
  }

  /** How many cells hold something. */
  get size(): number {
    return this.used;
  }

  /** @returns the sum of the counts */
  addList(list: CellList): number {
    let sum = 0;
    for (let from = 0; from < list.length; from += 2) {
      const [cell, count] = [list[from] as number, list[from + 1] as number];
      const at = this.placeOf(cell);
      if (this.keys[at] === 0) {
        this.keys[at] = cell + 1;
        this.used += 1;
      }
      this.counts[at] = (this.counts[at] as number) + count;
      sum += count;
      if (this.used * 4 > this.keys.length * 3) this.grow();
    }
    return sum;
  }

  each(visit: (cell: number, count: number) => void): void {
    const order = this.keys.filter((key) => key > 0).sort();
    for (const key of order) visit(key - 1, this.counts[this.placeOf(key - 1)] as number);
  }

  toList(): CellList {
    const list: number[] = [];
    this.each((cell, count) => void list.push(cell, count));
    return list;
  }

  private placeOf(cell: number): number {
    const mask = this.keys.length - 1;
    // Multiplied by an odd number near 2^16 times the golden ratio, so that neighbouring cells spread.
    let at = ((cell * 40_503) >>> 4) & mask;
    while (this.keys[at] !== 0 && this.keys[at] !== cell + 1) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { keys, counts } = this;
    this.keys = new Uint16Array(keys.length * 2);
    this.counts = new Float64Array(keys.length * 2);
    for (let old = 0; old < keys.length; old += 1) {
      const key = keys[old] as number;
      if (key === 0) continue;
      const at = this.placeOf(key - 1);
      this.keys[at] = key;
      this.counts[at] = counts[old] as number;
    }
  }
}

/**
 * The values at percentiles (0 to 100), in microseconds, as HdrHistogram gives them: the highest value of the cell in
 * which the percentile lies, and the lowest one for 0. Empty counts have none: NaN.
 * @param percentiles rising
 */
export function valuesAt(counts: HdrCounts, percentiles: readonly number[]): number[] {
  const { total } = counts;
  const values = percentiles.map(() => Number.NaN);
  let next = 0;
  let seen = 0;
  counts.each((cell, count) => {
    seen += count;
    for (let percentile = percentiles[next]; percentile !== undefined; percentile = percentiles[next]) {
      if (seen < rankOf(percentile, total)) return;
      values[next] = percentile === 0 ? cellLowest(cell) : cellLowest(cell) + cellWidth(cell) - 1;
      next += 1;
    }
  });
  return values;
}

/** How many values lie at or below the percentile: rounded up, but not for the last digit of the division. */
function rankOf(percentile: number, total: number): number {
  const exact = (Math.min(percentile, 100) / 100) * total;
  return Math.max(1, Math.ceil(exact - exact * Number.EPSILON));
}

/** Microseconds; each value counts as the middle of its cell. NaN when empty. */
export function meanOf(counts: HdrCounts): number {
  let sum = 0;
  counts.each((cell, count) => {
    sum += (cellLowest(cell) + Math.floor(cellWidth(cell) / 2)) * count;
  });
  return sum / counts.total;
}

/** A library histogram with the same counts (64-bit: hours of a single bucket do not overflow). */
export function toHistogram(source: CountSource): Histogram {
  const histogram = emptyHistogram();
  source.each((cell, count) => histogram.recordValueWithCount(cellLowest(cell), count));
  return histogram;
}

export function emptyHistogram(): Histogram {
  return hdr.build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64, useWebAssembly: false });
}

/** HdrHistogram V2 compressed, base64; undefined when empty. */
export function encodeCounts(counts: HdrCounts): string | undefined {
  return encodeCells(counts.toList());
}

/** @throws HistogramError */
export function decodeCounts(text: string): HdrCounts {
  return new HdrCounts().addCells(decodeHistogram(text));
}
