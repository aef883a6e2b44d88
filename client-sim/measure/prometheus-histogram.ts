import { Histogram } from 'prom-client';
import { cellLowest, cellWidth, HISTOGRAM_CELLS } from '../protocol/histogram-codec.js';
import type { CellCounts } from './duration-histogram.js';

interface Sums {
  readonly labels: Readonly<Record<string, string>>;
  /** Not cumulative; the last one is above the highest bound. */
  readonly buckets: number[];
  sum: number;
  count: number;
}

/**
 * A Prometheus histogram that is filled once a second with the counts of HdrHistogram cells, so nothing is observed per
 * request. A cell (0.1 % wide) that contains a bound is counted above it; sums use the middle of each cell.
 */
export class PrometheusHistogram extends Histogram {
  /**
   * Bucket by cell, shared by all histograms with the same bounds: computed once, because searching the bucket of each
   * cell took 3 ms a batch.
   */
  private readonly bucketOf: Uint8Array;
  private readonly series = new Map<string, Sums>();

  /** @param bounds in seconds, ascending */
  constructor(
    private readonly name: string,
    private readonly help: string,
    labelNames: readonly string[],
    private readonly bounds: readonly number[],
  ) {
    super({ name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [] });
    this.bucketOf = bucketTable(bounds);
  }

  add(labels: Readonly<Record<string, string>>, cells: CellCounts): void {
    const key = JSON.stringify(labels);
    const sums = this.series.get(key) ?? {
      labels,
      buckets: new Array<number>(this.bounds.length + 1).fill(0),
      sum: 0,
      count: 0,
    };
    this.series.set(key, sums);
    for (const [cell, count] of cells) {
      const index = this.bucketOf[cell] as number;
      sums.buckets[index] = (sums.buckets[index] ?? 0) + count;
      sums.sum += ((cellLowest(cell) + (cellWidth(cell) - 1) / 2) / 1e6) * count;
      sums.count += count;
    }
  }

  /** Called by the registry when it writes text, and by `get`. */
  getForPromString(): object {
    const name = this.name;
    const values = [...this.series.values()].flatMap(({ labels: sharedLabels, buckets, sum, count }) => {
      let below = 0;
      const lines = this.bounds.map((le, index) => {
        below += buckets[index] ?? 0;
        return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: below };
      });
      return [
        ...lines,
        { metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: count },
        { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
        { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
      ];
    });
    return { name, help: this.help, type: 'histogram', aggregator: 'sum', values };
  }
}

const tables = new Map<string, Uint8Array>();

function bucketTable(bounds: readonly number[]): Uint8Array {
  const key = bounds.join(' ');
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = new Uint8Array(HISTOGRAM_CELLS);
  for (let cell = 0, bucket = 0; cell < HISTOGRAM_CELLS; cell++) {
    while (bucket < bounds.length && (cellLowest(cell) + cellWidth(cell) - 1) / 1e6 > (bounds[bucket] as number))
      bucket++;
    table[cell] = bucket;
  }
  tables.set(key, table);
  return table;
}
