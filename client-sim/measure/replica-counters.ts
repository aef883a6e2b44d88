import { DurationHistogram } from './duration-histogram.js';
import type { ReplicaNames } from './replica-names.js';
import { REPLICA_FLOOR, REPLICA_LATENCY, REPLICA_SUCCEEDED, type SeriesLayout } from './series.js';
import { emptyReplica, type NumberList, pushCells, REPLICA_COUNTS, type ReplicaRow } from './snapshot.js';

const WIDTH = REPLICA_COUNTS.length;

/**
 * Counters and latency of each replica, by (stage, profile), since the last snapshot. Hot path: arrays by number, which
 * grow when a new replica answers.
 */
export class ReplicaCounters {
  private readonly groups: number;
  private counts = new Uint32Array(0);
  /** By (replica, group), like the counts. */
  private readonly latency: (DurationHistogram | undefined)[] = [];
  private readonly floor: (DurationHistogram | undefined)[] = [];
  private readonly spare: DurationHistogram[] = [];

  constructor(
    private readonly layout: SeriesLayout,
    readonly names: ReplicaNames,
  ) {
    this.groups = layout.groups;
  }

  /** Precondition, also of `recordSucceeded`: the replica is known, so not 0. */
  count(group: number, replica: number, column: number): void {
    const place = (replica - 1) * this.groups + group;
    if ((place + 1) * WIDTH > this.counts.length) this.grow(replica);
    const index = place * WIDTH + column;
    this.counts[index] = (this.counts[index] as number) + 1;
  }

  /**
   * Called for every answer, so it does only this; the number of answers follows from the histogram.
   * @param cell of the latency, see `cellAt`
   */
  recordSucceeded(group: number, replica: number, cell: number): void {
    const cells = this.latency[(replica - 1) * this.groups + group];
    if (cells === undefined) this.begin(this.latency, group, replica).add(cell);
    else cells.add(cell);
  }

  /** Its latency without our own share. */
  recordFloor(group: number, replica: number, cell: number): void {
    const cells = this.floor[(replica - 1) * this.groups + group];
    if (cells === undefined) this.begin(this.floor, group, replica).add(cell);
    else cells.add(cell);
  }

  takeRows(): ReplicaRow[] {
    const rows: ReplicaRow[] = [];
    const counts = this.counts;
    for (let place = 0; place * WIDTH < counts.length; place++) {
      const from = place * WIDTH;
      counts[from + REPLICA_SUCCEEDED] = this.latency[place]?.total ?? 0;
      let any = 0;
      for (let column = 0; column < WIDTH; column++) any |= counts[from + column] as number;
      if (any === 0) continue;
      const row = emptyReplica(place % this.groups, this.names.nameOf(1 + Math.floor(place / this.groups)));
      REPLICA_COUNTS.forEach((name, column) => {
        row[name] = counts[from + column] as number;
      });
      rows.push(row);
    }
    counts.fill(0);
    return rows;
  }

  drainLatency(runs: NumberList): void {
    this.drain(runs, this.latency, REPLICA_LATENCY);
    this.drain(runs, this.floor, REPLICA_FLOOR);
  }

  private drain(runs: NumberList, histograms: (DurationHistogram | undefined)[], kind: number): void {
    histograms.forEach((cells, place) => {
      if (cells === undefined) return;
      if (cells.empty) {
        histograms[place] = undefined;
        this.spare.push(cells);
        return;
      }
      const replica = 1 + Math.floor(place / this.groups);
      pushCells(runs, this.layout.replicaHistogram(place % this.groups, replica, kind), cells);
    });
  }

  private begin(histograms: (DurationHistogram | undefined)[], group: number, replica: number): DurationHistogram {
    const place = (replica - 1) * this.groups + group;
    if ((place + 1) * WIDTH > this.counts.length) this.grow(replica);
    const cells = this.spare.pop() ?? new DurationHistogram();
    histograms[place] = cells;
    return cells;
  }

  private grow(replica: number): void {
    const grown = new Uint32Array(replica * this.groups * WIDTH);
    grown.set(this.counts);
    this.counts = grown;
    for (const histograms of [this.latency, this.floor])
      while (histograms.length < replica * this.groups) histograms.push(undefined);
  }
}
