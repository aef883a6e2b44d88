/**
 * Latency over time as counts in a grid: columns of time that double in width when there are too many, rows on a log
 * scale. Its size is bounded for a run of any length.
 */
import { type CellList, cellLowest, HISTOGRAM_CELLS } from '../../../client-sim/protocol/histogram-codec.js';

const maxColumns = 240;
const rowsPerDecade = 8;

/** Row of an HdrHistogram cell: row r holds values from 10^(r/8) us to 10^((r+1)/8) us. */
const rowOfCell = Uint8Array.from({ length: HISTOGRAM_CELLS }, (_, cell) =>
  Math.floor(Math.log10(Math.max(1, cellLowest(cell))) * rowsPerDecade + 1e-9),
);

const ROWS = (rowOfCell.at(-1) as number) + 1;

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
  /** Counts by row. */
  private columns: Float64Array[] = [];

  add(second: number, cells: CellList): void {
    if (cells.length === 0) return;
    while (second / this.columnSeconds >= maxColumns) this.halve();
    const column = this.column(Math.floor(second / this.columnSeconds));
    for (let at = 0; at < cells.length; at += 2) {
      const row = rowOfCell[cells[at] as number] as number;
      column[row] = (column[row] as number) + (cells[at + 1] as number);
    }
  }

  view(): HeatMapView {
    const used = Array.from({ length: ROWS }, (_, row) => row).filter((row) =>
      this.columns.some((column) => (column[row] as number) > 0),
    );
    const firstRow = used[0] ?? 0;
    const height = (used.at(-1) ?? -1) - firstRow + 1;
    return {
      columnSeconds: this.columnSeconds,
      rowsPerDecade,
      firstRow,
      columns: this.columns.map((column) => [...column.subarray(firstRow, firstRow + height)]),
    };
  }

  private column(number: number): Float64Array {
    while (this.columns.length <= number) this.columns.push(new Float64Array(ROWS));
    const column = this.columns[number];
    if (column === undefined) throw new RangeError(`heat map has no column ${number}`);
    return column;
  }

  private halve(): void {
    const halved: Float64Array[] = [];
    for (const [at, column] of this.columns.entries()) {
      const into = halved[at >> 1];
      if (into === undefined) halved.push(column);
      else for (const [row, count] of column.entries()) into[row] = (into[row] as number) + count;
    }
    this.columns = halved;
    this.columnSeconds *= 2;
  }
}
