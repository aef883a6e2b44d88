/**
 * Figures of several trials (or blocks of one run) together, with each of them counted any number of times: what a
 * bootstrap reads. A quantile is that of the merged histogram, never a median or a mean of quantiles.
 */
import { cellLowest, cellWidth } from '../../../client-sim/protocol/histogram-codec.js';
import type { CountSource } from '../merge/hdr-counts.js';

export interface Figures {
  /** The number of trials. */
  readonly size: number;
  /** One value for each figure; NaN where the weighted trials have no data. */
  read(weights: ArrayLike<number>): readonly number[];
}

/** `max` is the largest value, `mean` the mean, a number a quantile as a share: 0.95 is p95. */
export type Statistic = number | 'mean' | 'max';

const usPerMs = 1000;

interface Row {
  /** Where the cells stand in `highest`, and how often the trial counts each. */
  readonly cells: Int32Array;
  readonly counts: Float64Array;
}

/** Statistics of merged histograms, in ms. */
export class HistogramFigures implements Figures {
  readonly size: number;
  /** Of every cell that any trial counts, in rising order: its highest value and its middle, us. */
  private readonly highest: Float64Array;
  private readonly middle: Float64Array;
  private readonly rows: readonly Row[];
  private readonly merged: Float64Array;
  /** The quantiles among the statistics, from the lowest to the highest. */
  private readonly quantiles: readonly { readonly share: number; readonly at: number }[];

  constructor(
    histograms: readonly CountSource[],
    private readonly statistics: readonly Statistic[],
  ) {
    this.size = histograms.length;
    const pairs = histograms.map((histogram) => {
      const found: (readonly [cell: number, count: number])[] = [];
      histogram.each((cell, count) => found.push([cell, count]));
      return found;
    });
    const cells = Float64Array.from(new Set(pairs.flatMap((trial) => trial.map(([cell]) => cell)))).sort();
    const places = new Map([...cells].map((cell, at) => [cell, at]));
    this.highest = cells.map((cell) => cellLowest(cell) + cellWidth(cell) - 1);
    this.middle = cells.map((cell) => cellLowest(cell) + cellWidth(cell) / 2);
    this.rows = pairs.map((trial) => ({
      cells: Int32Array.from(trial, ([cell]) => places.get(cell) ?? 0),
      counts: Float64Array.from(trial, ([, count]) => count),
    }));
    this.merged = new Float64Array(cells.length);
    this.quantiles = statistics
      .flatMap((statistic, at) => (typeof statistic === 'number' ? [{ share: statistic, at }] : []))
      .sort((a, b) => a.share - b.share);
  }

  read(weights: ArrayLike<number>): readonly number[] {
    const { merged, highest } = this;
    merged.fill(0);
    let total = 0;
    for (const [trial, { cells, counts }] of this.rows.entries()) {
      const weight = weights[trial] ?? 0;
      if (weight === 0) continue;
      for (let at = 0; at < cells.length; at += 1) {
        const added = weight * (counts[at] as number);
        const cell = cells[at] as number;
        merged[cell] = (merged[cell] as number) + added;
        total += added;
      }
    }
    const values = this.statistics.map((statistic) => this.whole(statistic, total));
    if (total === 0) return values;
    let cell = 0;
    let below = merged[0] ?? 0;
    for (const { share, at } of this.quantiles) {
      // As the library does it: the value of the operation with this rank, at least the first.
      const rank = Math.max(1, Math.ceil(share * total - 1e-9));
      while (below < rank && cell < merged.length - 1) {
        cell += 1;
        below += merged[cell] ?? 0;
      }
      values[at] = (highest[cell] ?? Number.NaN) / usPerMs;
    }
    return values;
  }

  private whole(statistic: Statistic, total: number): number {
    if (total === 0 || typeof statistic === 'number') return Number.NaN;
    const { merged, middle, highest } = this;
    if (statistic === 'mean') {
      let sum = 0;
      for (let cell = 0; cell < merged.length; cell += 1) sum += (merged[cell] ?? 0) * (middle[cell] ?? 0);
      return sum / total / usPerMs;
    }
    return (highest[merged.findLastIndex((count) => count > 0)] ?? Number.NaN) / usPerMs;
  }
}

/** Sums over trials divided by other sums: a rate, a share. */
export class RatioFigures implements Figures {
  readonly size: number;

  constructor(private readonly parts: readonly { readonly of: number; readonly per: number }[]) {
    this.size = parts.length;
  }

  read(weights: ArrayLike<number>): readonly number[] {
    let of = 0;
    let per = 0;
    for (const [trial, part] of this.parts.entries()) {
      const weight = weights[trial] ?? 0;
      of += weight * part.of;
      per += weight * part.per;
    }
    return [per === 0 ? Number.NaN : of / per];
  }
}

/** Each trial once. */
export function allOf(size: number): Float64Array {
  return new Float64Array(size).fill(1);
}

/** The figures of each trial alone. */
export function ofEach(figures: Figures): readonly (readonly number[])[] {
  return Array.from({ length: figures.size }, (_, trial) => {
    const weights = new Float64Array(figures.size);
    weights[trial] = 1;
    return figures.read(weights);
  });
}
