/**
 * Everything told about one (stage, profile, operation) and one (stage, profile), merged; and sums over any of them.
 */
import { addStreams, noStreams, type StreamCounts } from '../../../client-sim/protocol/streams.js';
import { type HistogramName, histogramNames } from '../../../client-sim/protocol/telemetry.js';
import {
  addOperations,
  addReplicas,
  addSessions,
  addTallies,
  noOperations,
  noReplica,
  noSessions,
} from '../facts/counts.js';
import type { OperationCounts, ReplicaCounts, ReplicaTotals, Selection, SessionCounts, Totals } from './contract.js';
import type { DecodedBatch, DecodedReplica, DecodedSeries, DecodedSessions } from './decoded-batch.js';
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
  readonly streams: StreamCounts;
  readonly delivery: HdrCounts;
  clockErrorMs: number;
  readonly catchUp: HdrCounts;
}

interface ReplicaCell {
  readonly stage: number;
  readonly profile: string;
  /** As answers call it. */
  readonly replica: string;
  readonly counts: ReplicaCounts;
  readonly latency: HdrCounts;
}

export class SeriesStore {
  private readonly operations = new Map<string, OperationCell>();
  private readonly sessions = new Map<string, SessionCell>();
  private readonly replicas = new Map<string, ReplicaCell>();

  /** @param nameOf what a replica is called, by what answers call it; asked when something is selected */
  constructor(private readonly nameOf: (replica: string) => string = (replica) => replica) {}

  add({ series, sessions, replicas }: DecodedBatch): void {
    for (const one of series) this.addOperations(one);
    for (const one of sessions) this.addSessions(one);
    for (const one of replicas) this.addReplica(one);
  }

  select(selection: Selection): Totals {
    return new SelectedTotals(
      [...this.operations.values()].filter(
        (cell) => selects(selection, cell) && matches(selection.operation, cell.operation),
      ),
      // Sessions are of a profile, not of an operation: with an operation named, they are not told apart and left out.
      selection.operation === undefined ? [...this.sessions.values()].filter((cell) => selects(selection, cell)) : [],
      selection.operation === undefined ? [...this.replicas.values()].filter((cell) => selects(selection, cell)) : [],
      this.nameOf,
    );
  }

  private addOperations({ series, pairs }: DecodedSeries): void {
    const key = JSON.stringify([series.stage, series.profile, series.operation]);
    let cell = this.operations.get(key);
    if (cell === undefined) {
      const { stage, profile, operation } = series;
      cell = { stage, profile, operation, counts: noOperations(), errors: new Map(), histograms: emptyHistograms() };
      this.operations.set(key, cell);
    }
    addOperations(cell.counts, series);
    addTallies(cell.errors, Object.entries(series.errors));
    for (const name of histogramNames) cell.histograms[name].addPairs(pairs[name] ?? []);
  }

  private addSessions({ series, connect, delivery, catchUp }: DecodedSessions): void {
    const key = JSON.stringify([series.stage, series.profile]);
    let cell = this.sessions.get(key);
    if (cell === undefined) {
      const { stage, profile } = series;
      cell = {
        stage,
        profile,
        counts: noSessions(),
        connectFailures: new Map(),
        misbehaved: new Map(),
        connect: new HdrCounts(),
        streams: noStreams(),
        delivery: new HdrCounts(),
        clockErrorMs: 0,
        catchUp: new HdrCounts(),
      };
      this.sessions.set(key, cell);
    }
    addSessions(cell.counts, series);
    addTallies(cell.connectFailures, Object.entries(series.connectFailures));
    addTallies(cell.misbehaved, Object.entries(series.misbehaved));
    cell.connect.addPairs(connect);
    if (series.streams !== undefined) addStreams(cell.streams, series.streams);
    cell.delivery.addPairs(delivery);
    cell.clockErrorMs = Math.max(cell.clockErrorMs, series.clockErrorMs ?? 0);
    cell.catchUp.addPairs(catchUp);
  }

  private addReplica({ series, latency }: DecodedReplica): void {
    const key = JSON.stringify([series.stage, series.profile, series.replica]);
    let cell = this.replicas.get(key);
    if (cell === undefined) {
      const { stage, profile, replica } = series;
      cell = { stage, profile, replica, counts: noReplica(), latency: new HdrCounts() };
      this.replicas.set(key, cell);
    }
    addReplicas(cell.counts, series);
    cell.latency.addPairs(latency);
  }
}

/** Sums of the cells that go by one name, in order of the names. */
function byName(cells: readonly ReplicaCell[], nameOf: (replica: string) => string): readonly ReplicaTotals[] {
  const totals = new Map<
    string,
    { readonly name: string; readonly counts: ReplicaCounts; readonly latency: HdrCounts }
  >();
  for (const { replica, counts, latency } of cells) {
    const name = nameOf(replica);
    const sum = totals.get(name) ?? { name, counts: noReplica(), latency: new HdrCounts() };
    totals.set(name, sum);
    addReplicas(sum.counts, counts);
    sum.latency.addAll(latency);
  }
  return [...totals.values()].sort((a, b) => inOrder(a.name, b.name));
}

/** `mcp-server.2` before `mcp-server.10`. */
function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}

/** Sums made when asked for: the live view wants counters every second and no histogram. */
class SelectedTotals implements Totals {
  private readonly _sessions: readonly SessionCell[];

  private readonly _replicas: readonly ReplicaCell[];

  constructor(
    private readonly operations: readonly OperationCell[],
    sessions: readonly SessionCell[],
    replicas: readonly ReplicaCell[],
    private readonly nameOf: (replica: string) => string,
  ) {
    this._sessions = sessions;
    this._replicas = replicas;
  }

  get series(): number {
    return this.operations.length + this._sessions.length;
  }
  get counts(): OperationCounts {
    return fold(this.operations, noOperations(), (sum, cell) => addOperations(sum, cell.counts));
  }
  get errors(): Map<string, number> {
    return fold(this.operations, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.errors));
  }
  get histograms(): Record<HistogramName, HdrCounts> {
    return fold(this.operations, emptyHistograms(), (sum, cell) => {
      for (const name of histogramNames) sum[name].addAll(cell.histograms[name]);
    });
  }
  get sessions(): SessionCounts {
    return fold(this._sessions, noSessions(), (sum, cell) => addSessions(sum, cell.counts));
  }
  get connectFailures(): Map<string, number> {
    return fold(this._sessions, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.connectFailures));
  }
  get misbehaved(): Map<string, number> {
    return fold(this._sessions, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.misbehaved));
  }
  get replicas(): readonly ReplicaTotals[] {
    return byName(this._replicas, this.nameOf);
  }
  get connect(): HdrCounts {
    return fold(this._sessions, new HdrCounts(), (sum, cell) => sum.addAll(cell.connect));
  }
  get streams(): StreamCounts {
    return fold(this._sessions, noStreams(), (sum, cell) => addStreams(sum, cell.streams));
  }
  get delivery(): HdrCounts {
    return fold(this._sessions, new HdrCounts(), (sum, cell) => sum.addAll(cell.delivery));
  }
  get clockErrorMs(): number {
    return this._sessions.reduce((worst, cell) => Math.max(worst, cell.clockErrorMs), 0);
  }
  get catchUp(): HdrCounts {
    return fold(this._sessions, new HdrCounts(), (sum, cell) => sum.addAll(cell.catchUp));
  }
}

function fold<Cell, Sum>(cells: readonly Cell[], sum: Sum, add: (sum: Sum, cell: Cell) => void): Sum {
  for (const cell of cells) add(sum, cell);
  return sum;
}

function emptyHistograms(): Record<HistogramName, HdrCounts> {
  return {
    latency: new HdrCounts(),
    service: new HdrCounts(),
    lag: new HdrCounts(),
    failure: new HdrCounts(),
  };
}

function matches(wanted: string | undefined, is: string): boolean {
  return wanted === undefined || wanted === is;
}
function selects(selection: Selection, cell: { readonly stage: number; readonly profile: string }): boolean {
  return selection.stages.includes(cell.stage) && matches(selection.profile, cell.profile);
}
