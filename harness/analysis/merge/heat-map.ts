/**
 * Latency over time as counts in a grid: columns of time that double in width when there are too many, rows on a log
 * scale. Its size is bounded for a run of any length.
 */
import { type CountPair, cellLowest, HISTOGRAM_CELLS } from '../../../client-sim/protocol/histogram-codec.js';

const maxColumns = 240;
const rowsPerDecade = 8;

/** Row of an HdrHistogram cell: row r holds values from 10^(r/8) us to 10^((r+1)/8) us. */
const rowOfCell = Uint8Array.from({ length: HISTOGRAM_CELLS }, (_, cell) =>
  Math.floor(Math.log10(Math.max(1, cellLowest(cell))) * rowsPerDecade + 1e-9),
);

export interface HeatMapView {
  readonly columnSeconds: number;
  readonly rowsPerDecade: number;
  /** Number of the lowest row in `columns`. */
  readonly firstRow: number;
  /** One array of counts for each column, all of the same length; empty when nothing was recorded. */
  readonly columns: readonly (readonly number[])[];
}

export class HeatMap {
  private columnSeconds = 1;
  private columns: Map<number, number>[] = [];

  add(second: number, pairs: readonly CountPair[]): void {
    while (second / this.columnSeconds >= maxColumns) this.halve();
    const column = this.column(Math.floor(second / this.columnSeconds));
    for (const [cell, count] of pairs) {
      const row = rowOfCell[cell] ?? 0;
      column.set(row, (column.get(row) ?? 0) + count);
    }
  }

  view(): HeatMapView {
    const rows = this.columns.flatMap((column) => [...column.keys()]);
    const firstRow = rows.length === 0 ? 0 : Math.min(...rows);
    const height = rows.length === 0 ? 0 : Math.max(...rows) - firstRow + 1;
    return {
      columnSeconds: this.columnSeconds,
      rowsPerDecade,
      firstRow,
      columns: this.columns.map((column) =>
        Array.from({ length: height }, (_, row) => column.get(firstRow + row) ?? 0),
      ),
    };
  }

  private column(number: number): Map<number, number> {
    while (this.columns.length <= number) this.columns.push(new Map());
    const column = this.columns[number];
    if (column === undefined) throw new RangeError(`heat map has no column ${number}`);
    return column;
  }

  private halve(): void {
    const halved: Map<number, number>[] = [];
    for (const [at, column] of this.columns.entries()) {
      const into = halved[at >> 1];
      if (into === undefined) halved.push(column);
      else for (const [row, count] of column) into.set(row, (into.get(row) ?? 0) + count);
    }
    this.columns = halved;
    this.columnSeconds *= 2;
  }
}
