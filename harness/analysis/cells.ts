/** Everything told about one (stage, profile, operation) and one (stage, profile), merged; and sums over any of them. */
import type { HistogramName } from '../../client-sim/protocol/messages.js';
import { histogramNames } from '../../client-sim/protocol/messages.js';
import type { OperationCounts, Selection, SessionCounts, Totals } from './contract.js';
import { addOperations, addSessions, addTallies, noOperations, noSessions } from './counts.js';
import type { DecodedBatch, DecodedSeries, DecodedSessions } from './decoded-batch.js';
import { HdrCounts } from './hdr-counts.js';

interface OperationCell {
  readonly stage: number;
  readonly profile: string;
  readonly operation: string;
  readonly counts: OperationCounts;
  readonly errors: Map<string, number>;
  readonly histograms: Record<HistogramName, HdrCounts>;
}

interface SessionCell {
  readonly stage: number;
  readonly profile: string;
  readonly counts: SessionCounts;
  readonly connectFailures: Map<string, number>;
  readonly misbehaved: Map<string, number>;
  readonly connect: HdrCounts;
}

export class Cells {
  readonly #operations = new Map<string, OperationCell>();
  readonly #sessions = new Map<string, SessionCell>();

  add({ series, sessions }: DecodedBatch): void {
    for (const one of series) this.#addOperations(one);
    for (const one of sessions) this.#addSessions(one);
  }

  select(selection: Selection): Totals {
    return new MergedCells(
      [...this.#operations.values()].filter((cell) => selects(selection, cell) && matches(selection.operation, cell.operation)),
      // Sessions are of a profile, not of an operation: with an operation named, they are not told apart and left out.
      selection.operation === undefined ? [...this.#sessions.values()].filter((cell) => selects(selection, cell)) : [],
    );
  }

  #addOperations({ series, pairs }: DecodedSeries): void {
    const key = JSON.stringify([series.stage, series.profile, series.operation]);
    let cell = this.#operations.get(key);
    if (cell === undefined) {
      const { stage, profile, operation } = series;
      cell = { stage, profile, operation, counts: noOperations(), errors: new Map(), histograms: emptyHistograms() };
      this.#operations.set(key, cell);
    }
    addOperations(cell.counts, series);
    addTallies(cell.errors, Object.entries(series.errors));
    for (const name of histogramNames) cell.histograms[name].addPairs(pairs[name] ?? []);
  }

  #addSessions({ series, connect }: DecodedSessions): void {
    const key = JSON.stringify([series.stage, series.profile]);
    let cell = this.#sessions.get(key);
    if (cell === undefined) {
      const { stage, profile } = series;
      cell = { stage, profile, counts: noSessions(), connectFailures: new Map(), misbehaved: new Map(), connect: new HdrCounts() };
      this.#sessions.set(key, cell);
    }
    addSessions(cell.counts, series);
    addTallies(cell.connectFailures, Object.entries(series.connectFailures));
    addTallies(cell.misbehaved, Object.entries(series.misbehaved));
    cell.connect.addPairs(connect);
  }
}

/** Sums made when asked for: the live view wants counters every second and no histogram. */
class MergedCells implements Totals {
  readonly #operations: readonly OperationCell[];
  readonly #sessions: readonly SessionCell[];

  constructor(operations: readonly OperationCell[], sessions: readonly SessionCell[]) {
    this.#operations = operations;
    this.#sessions = sessions;
  }

  get series(): number {
    return this.#operations.length + this.#sessions.length;
  }
  get counts(): OperationCounts {
    return fold(this.#operations, noOperations(), (sum, cell) => addOperations(sum, cell.counts));
  }
  get errors(): Map<string, number> {
    return fold(this.#operations, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.errors));
  }
  get histograms(): Record<HistogramName, HdrCounts> {
    return fold(this.#operations, emptyHistograms(), (sum, cell) => {
      for (const name of histogramNames) sum[name].addAll(cell.histograms[name]);
    });
  }
  get sessions(): SessionCounts {
    return fold(this.#sessions, noSessions(), (sum, cell) => addSessions(sum, cell.counts));
  }
  get connectFailures(): Map<string, number> {
    return fold(this.#sessions, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.connectFailures));
  }
  get misbehaved(): Map<string, number> {
    return fold(this.#sessions, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.misbehaved));
  }
  get connect(): HdrCounts {
    return fold(this.#sessions, new HdrCounts(), (sum, cell) => sum.addAll(cell.connect));
  }
}

const fold = <Cell, Sum>(cells: readonly Cell[], sum: Sum, add: (sum: Sum, cell: Cell) => void): Sum => {
  for (const cell of cells) add(sum, cell);
  return sum;
};

const emptyHistograms = (): Record<HistogramName, HdrCounts> => ({
  latency: new HdrCounts(), service: new HdrCounts(), lag: new HdrCounts(), failure: new HdrCounts(),
});

const matches = (wanted: string | undefined, is: string): boolean => wanted === undefined || wanted === is;
const selects = (selection: Selection, cell: { readonly stage: number; readonly profile: string }): boolean =>
  selection.stages.includes(cell.stage) && matches(selection.profile, cell.profile);
