/** Outcomes of the operations that were due around faults, by bins of 100 ms of the time when they were due. */
import { classMs, MOST_CLASS, type OutcomeSeries } from '../../../client-sim/protocol/outcomes.js';

export const BIN_MS = 100;

/** Operations of one bin, with one outcome. */
export interface Outcome {
  readonly stage: number;
  readonly profile: string;
  readonly operation: string;
  /** Of the failure, `lost` included; '': a correct answer. */
  readonly category: string;
  /** Due time / 100 ms. */
  readonly bin: number;
  /** From due to the end, within 2 %. */
  readonly durationMs: number;
  readonly count: number;
}

export interface OutcomeSelection {
  /** Bins of run time; the end is not included. */
  readonly fromBin: number;
  readonly toBin: number;
  readonly stages?: readonly number[];
  readonly profile?: string;
  readonly operation?: string;
}

interface Cell extends Pick<Outcome, 'stage' | 'profile' | 'operation' | 'category'> {
  /** By bin: counts by class. */
  readonly bins: Map<number, Map<number, number>>;
}

export class OutcomeStore {
  private readonly cells = new Map<string, Cell>();
  private _version = 0;

  /** Grows with everything that is added. */
  get version(): number {
    return this._version;
  }

  get isEmpty(): boolean {
    return this.cells.size === 0;
  }

  add(series: OutcomeSeries): void {
    const { stage, profile, operation, category, counts } = series;
    const key = JSON.stringify([stage, profile, operation, category]);
    const cell = this.cells.get(key) ?? { stage, profile, operation, category, bins: new Map() };
    this.cells.set(key, cell);
    this._version += 1;
    for (let at = 0; at + 2 < counts.length; at += 3) {
      const [bin = 0, number = 0, count = 0] = counts.slice(at, at + 3);
      const classes = cell.bins.get(bin) ?? new Map<number, number>();
      cell.bins.set(bin, classes);
      const known = Math.min(number, MOST_CLASS);
      classes.set(known, (classes.get(known) ?? 0) + count);
    }
  }

  select({ fromBin, toBin, stages, profile, operation }: OutcomeSelection): readonly Outcome[] {
    const found: Outcome[] = [];
    for (const { bins, ...cell } of this.cells.values()) {
      if (stages?.includes(cell.stage) === false) continue;
      if ((profile ?? cell.profile) !== cell.profile || (operation ?? cell.operation) !== cell.operation) continue;
      for (const [bin, classes] of bins) {
        if (bin < fromBin || bin >= toBin) continue;
        for (const [number, count] of classes) found.push({ ...cell, bin, durationMs: classMs(number), count });
      }
    }
    return found;
  }
}
