/**
 * Everything that was reported of each (stage, profile, operation), (stage, profile) and (stage, profile, replica),
 * merged; and sums over any selection of them.
 */
import { addStreams, noStreams, type StreamCounts } from '../../../client-sim/protocol/streams.js';
import { type HistogramName, histogramNames } from '../../../client-sim/protocol/telemetry.js';
import {
  addOperations,
  addReplica,
  addSessions,
  addTallies,
  noOperations,
  noReplica,
  noSessions,
  type OperationCounts,
  type ReplicaCounts,
  type SessionCounts,
} from '../facts/counts.js';
import { byNumberedName } from '../order.js';
import type { DecodedBatch, DecodedReplica, DecodedSeries, DecodedSessions } from './decoded-batch.js';
import { HdrCounts } from './hdr-counts.js';

/** Indices of stages; profile and operation by name, all of them when absent. */
export interface Selection {
  readonly stages: readonly number[];
  readonly profile?: string;
  readonly operation?: string;
}

/** The sums of a selection. */
export interface Totals {
  /** Nothing was ever reported of this selection. */
  readonly isEmpty: boolean;
  readonly counts: Readonly<OperationCounts>;
  readonly errors: ReadonlyMap<string, number>;
  readonly histograms: Readonly<Record<HistogramName, HdrCounts>>;
  readonly sessions: Readonly<SessionCounts>;
  readonly connectFailures: ReadonlyMap<string, number>;
  readonly misbehaved: ReadonlyMap<string, number>;
  readonly connect: HdrCounts;
  /** By name; empty with an operation named, because replicas are not counted by operation. */
  readonly replicas: readonly ReplicaTotals[];
  readonly streams: Readonly<StreamCounts>;
  /** From when a publication was due to when a subscriber read it. */
  readonly delivery: HdrCounts;
  /** How far apart the clocks of publishers and subscribers may have been, at worst. */
  readonly clockErrorMs: number;
  /** From a consumer's return until it had received all that was published while it was away. */
  readonly catchUp: HdrCounts;
}

export interface ReplicaTotals {
  /** Id of one of the run's replicas, or the name that answers give. */
  readonly name: string;
  readonly counts: Readonly<ReplicaCounts>;
  readonly latency: HdrCounts;
}

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
  /** The name that answers give. */
  readonly replica: string;
  readonly counts: ReplicaCounts;
  readonly latency: HdrCounts;
}

export class SeriesStore {
  private readonly operations = new Map<string, OperationCell>();
  private readonly sessions = new Map<string, SessionCell>();
  private readonly replicas = new Map<string, ReplicaCell>();

  /** @param nameOf the id of a replica by the name that answers give; called when something is selected */
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
      // Sessions belong to a profile, not to an operation, so they are left out when an operation is named.
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
    addReplica(cell.counts, series);
    cell.latency.addPairs(latency);
  }
}

/** Sums of the cells that share a name, in order of the names. */
function byName(cells: readonly ReplicaCell[], nameOf: (replica: string) => string): readonly ReplicaTotals[] {
  const totals = new Map<
    string,
    { readonly name: string; readonly counts: ReplicaCounts; readonly latency: HdrCounts }
  >();
  for (const { replica, counts, latency } of cells) {
    const name = nameOf(replica);
    const sum = totals.get(name) ?? { name, counts: noReplica(), latency: new HdrCounts() };
    totals.set(name, sum);
    addReplica(sum.counts, counts);
    sum.latency.addAll(latency);
  }
  return [...totals.values()].sort((a, b) => byNumberedName(a.name, b.name));
}

/** Each sum is made when it is read: the live view needs counters every second and no histogram. */
class SelectedTotals implements Totals {
  constructor(
    private readonly operationCells: readonly OperationCell[],
    private readonly sessionCells: readonly SessionCell[],
    private readonly replicaCells: readonly ReplicaCell[],
    private readonly nameOf: (replica: string) => string,
  ) {}

  get isEmpty(): boolean {
    return this.operationCells.length + this.sessionCells.length === 0;
  }
  get counts(): OperationCounts {
    return fold(this.operationCells, noOperations(), (sum, cell) => addOperations(sum, cell.counts));
  }
  get errors(): Map<string, number> {
    return fold(this.operationCells, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.errors));
  }
  get histograms(): Record<HistogramName, HdrCounts> {
    return fold(this.operationCells, emptyHistograms(), (sum, cell) => {
      for (const name of histogramNames) sum[name].addAll(cell.histograms[name]);
    });
  }
  get sessions(): SessionCounts {
    return fold(this.sessionCells, noSessions(), (sum, cell) => addSessions(sum, cell.counts));
  }
  get connectFailures(): Map<string, number> {
    return fold(this.sessionCells, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.connectFailures));
  }
  get misbehaved(): Map<string, number> {
    return fold(this.sessionCells, new Map<string, number>(), (sum, cell) => addTallies(sum, cell.misbehaved));
  }
  get replicas(): readonly ReplicaTotals[] {
    return byName(this.replicaCells, this.nameOf);
  }
  get connect(): HdrCounts {
    return fold(this.sessionCells, new HdrCounts(), (sum, cell) => sum.addAll(cell.connect));
  }
  get streams(): StreamCounts {
    return fold(this.sessionCells, noStreams(), (sum, cell) => addStreams(sum, cell.streams));
  }
  get delivery(): HdrCounts {
    return fold(this.sessionCells, new HdrCounts(), (sum, cell) => sum.addAll(cell.delivery));
  }
  get clockErrorMs(): number {
    return this.sessionCells.reduce((worst, cell) => Math.max(worst, cell.clockErrorMs), 0);
  }
  get catchUp(): HdrCounts {
    return fold(this.sessionCells, new HdrCounts(), (sum, cell) => sum.addAll(cell.catchUp));
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
