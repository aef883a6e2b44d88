/**
 * Histogram counts by HdrHistogram index, made for merging. The library does everything else (percentiles, encoding,
 * printing) on the result of `toHistogram`.
 */
import hdr, { type Histogram } from 'hdr-histogram-js';
import {
  type CountPair,
  cellLowest,
  decodeHistogram,
  HISTOGRAM_BOUNDS,
} from '../../../client-sim/protocol/histogram-codec.js';

export class HdrCounts {
  /** Grows with the highest value seen: most series stay below a second, a sixth of the full range. */
  private counts = new Float64Array(0);
  private _total = 0;

  get total(): number {
    return this._total;
  }

  addPairs(pairs: readonly CountPair[]): this {
    for (const [index, count] of pairs) this.addAt(index, count);
    return this;
  }

  addAll(other: HdrCounts): this {
    other.each((index, count) => this.addAt(index, count));
    return this;
  }

  addAt(index: number, count: number): void {
    if (index >= this.counts.length) this.grow(index);
    this.counts[index] = (this.counts[index] ?? 0) + count;
    this._total += count;
  }

  /** Every index with a count, rising. */
  each(visit: (index: number, count: number) => void): void {
    for (let index = 0; index < this.counts.length; index += 1) {
      const count = this.counts[index] ?? 0;
      if (count > 0) visit(index, count);
    }
  }

  private grow(index: number): void {
    const grown = new Float64Array((index & ~1023) + 1024);
    grown.set(this.counts);
    this.counts = grown;
  }
}

/** Anything that can name its indices and their counts. */
export type CountSource = Pick<HdrCounts, 'each'>;

/** A library histogram with the same counts (64-bit: hours of a single bucket do not overflow). */
export function toHistogram(source: CountSource): Histogram {
  const histogram = emptyHistogram();
  source.each((index, count) => histogram.recordValueWithCount(cellLowest(index), count));
  return histogram;
}

export function emptyHistogram(): Histogram {
  return hdr.build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64, useWebAssembly: false });
}

/** HdrHistogram V2 compressed, base64; undefined when empty. */
export function encodeCounts(counts: HdrCounts): string | undefined {
  return counts.total === 0 ? undefined : hdr.encodeIntoCompressedBase64(toHistogram(counts));
}

/** @throws HistogramError */
export function decodeCounts(base64: string): HdrCounts {
  return new HdrCounts().addPairs(decodeHistogram(base64));
}
