/**
 * Everything that was reported of each (stage, profile, operation), (stage, profile) and (stage, profile, replica),
 * merged; and sums over any selection of them.
 */
import { cellList, cellOf } from '../../../client-sim/protocol/histogram-codec.js';
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
import { HdrCounts, sumOfLists } from './hdr-counts.js';
import type { Outcome } from './outcome-store.js';

/** Indices of stages; profiles and operation by name, all of them when absent. */
export interface Selection {
  /** Undefined: all. */
  readonly stages: readonly number[] | undefined;
  readonly profile?: string;
  /** Any of these. Not beside `profile`. */
  readonly profiles?: readonly string[];
  readonly operation?: string;
}

/** The sums of a selection. */
export interface Totals {
  /** Nothing was ever reported of this selection. */
  readonly isEmpty: boolean;
  readonly counts: Readonly<OperationCounts>;
  readonly errors: ReadonlyMap<string, number>;
  /**
   * `latencyFloor` and `serviceFloor` are `latency` and `service` without the generator's own share, of the same
   * operations: each quantile of the truth lies between the two. A floor with a smaller `total` than the measured
   * histogram is of no use (old logs, an SDK's transport): the own share is not known. See `intervalOf`.
   */
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
  readonly latencyFloor: HdrCounts;
}

interface OperationCell {
  readonly stage: number;
  readonly profile: string;
  readonly operation: string;
  readonly counts: OperationCounts;
  readonly errors: Map<string, number>;
  readonly histograms: Record<HistogramName, HdrCounts>;
  /** The part of `histograms.latency` that came without a `latencyFloor`. */
  readonly withoutFloor: HdrCounts;
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
  readonly latencyFloor: HdrCounts;
}

export class SeriesStore {
  private readonly operations = new ByStageAndProfile<Map<string, OperationCell>>();
  private readonly sessions = new ByStageAndProfile<SessionCell>();
  private readonly replicas = new ByStageAndProfile<Map<string, ReplicaCell>>();

  /** @param nameOf the id of a replica by the name that answers give; called when something is selected */
  constructor(private readonly nameOf: (replica: string) => string = (replica) => replica) {}

  add({ series, sessions, replicas }: DecodedBatch): void {
    for (const one of series) this.addOperations(one);
    for (const one of sessions) this.addSessions(one);
    for (const one of replicas) this.addReplica(one);
  }

  /** Adds all that the other one has. */
  addAll(other: SeriesStore): void {
    const { operations, sessions, replicas } = other.cells({ stages: undefined });
    for (const one of operations) {
      const cell = this.operation(one.stage, one.profile, one.operation);
      addOperations(cell.counts, one.counts);
      addTallies(cell.errors, one.errors);
      for (const name of histogramNames) cell.histograms[name].addAll(one.histograms[name]);
      cell.withoutFloor.addAll(one.withoutFloor);
    }
    for (const one of sessions) {
      const cell = this.session(one.stage, one.profile);
      addSessions(cell.counts, one.counts);
      addTallies(cell.connectFailures, one.connectFailures);
      addTallies(cell.misbehaved, one.misbehaved);
      cell.connect.addAll(one.connect);
      addStreams(cell.streams, one.streams);
      cell.delivery.addAll(one.delivery);
      cell.clockErrorMs = Math.max(cell.clockErrorMs, one.clockErrorMs);
      cell.catchUp.addAll(one.catchUp);
    }
    for (const one of replicas) {
      const cell = this.replica(one.stage, one.profile, one.replica);
      addReplica(cell.counts, one.counts);
      cell.latency.addAll(one.latency);
      cell.latencyFloor.addAll(one.latencyFloor);
    }
  }

  select(selection: Selection): Totals {
    return selectFrom([this], selection, this.nameOf);
  }

  /** Sessions and replicas belong to a profile: they are left out when an operation is named. */
  cells(selection: Selection): SelectedCells {
    const byOperation = this.operations.select(selection);
    const { operation } = selection;
    if (operation !== undefined)
      return { operations: byOperation.flatMap((cells) => cells.get(operation) ?? []), sessions: [], replicas: [] };
    return {
      operations: byOperation.flatMap((cells) => [...cells.values()]),
      sessions: this.sessions.select(selection),
      replicas: this.replicas.select(selection).flatMap((cells) => [...cells.values()]),
    };
  }

  /** Histograms take a tenth of the memory from now on, until something is added to them. */
  pack(): void {
    const { operations, sessions, replicas } = this.cells({ stages: undefined });
    for (const { histograms, withoutFloor } of operations) {
      for (const name of histogramNames) histograms[name].pack();
      withoutFloor.pack();
    }
    for (const { connect, delivery, catchUp } of sessions)
      for (const counts of [connect, delivery, catchUp]) counts.pack();
    for (const { latency, latencyFloor } of replicas) for (const counts of [latency, latencyFloor]) counts.pack();
  }

  private addOperations({ series, cells }: DecodedSeries): void {
    const cell = this.operation(series.stage, series.profile, series.operation);
    addOperations(cell.counts, series);
    for (const category in series.errors)
      cell.errors.set(category, (cell.errors.get(category) ?? 0) + (series.errors[category] ?? 0));
    for (const name of histogramNames) {
      const list = cells[name];
      if (list !== undefined) cell.histograms[name].addCells(list);
    }
    if (cells.latencyFloor === undefined) cell.withoutFloor.addCells(cells.latency ?? []);
  }

  private addSessions({ series, connect, delivery, catchUp }: DecodedSessions): void {
    const cell = this.session(series.stage, series.profile);
    addSessions(cell.counts, series);
    addTallies(cell.connectFailures, Object.entries(series.connectFailures));
    addTallies(cell.misbehaved, Object.entries(series.misbehaved));
    cell.connect.addCells(connect);
    if (series.streams !== undefined) addStreams(cell.streams, series.streams);
    cell.delivery.addCells(delivery);
    cell.clockErrorMs = Math.max(cell.clockErrorMs, series.clockErrorMs ?? 0);
    cell.catchUp.addCells(catchUp);
  }

  private addReplica({ series, latency, latencyFloor }: DecodedReplica): void {
    const cell = this.replica(series.stage, series.profile, series.replica);
    addReplica(cell.counts, series);
    cell.latency.addCells(latency);
    cell.latencyFloor.addCells(latencyFloor);
  }

  private operation(stage: number, profile: string, operation: string): OperationCell {
    const known = this.operations.get(stage, profile, newMap);
    let cell = known.get(operation);
    if (cell === undefined) {
      const counts = noOperations();
      const [errors, histograms, withoutFloor] = [new Map<string, number>(), emptyHistograms(), new HdrCounts()];
      cell = { stage, profile, operation, counts, errors, histograms, withoutFloor };
      known.set(operation, cell);
    }
    return cell;
  }

  private session(stage: number, profile: string): SessionCell {
    return this.sessions.get(stage, profile, () => ({
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
    }));
  }

  private replica(stage: number, profile: string, replica: string): ReplicaCell {
    const known = this.replicas.get(stage, profile, newMap);
    let cell = known.get(replica);
    if (cell === undefined) {
      cell = { stage, profile, replica, counts: noReplica(), latency: new HdrCounts(), latencyFloor: new HdrCounts() };
      known.set(replica, cell);
    }
    return cell;
  }
}

function newMap<Key, Value>(): Map<Key, Value> {
  return new Map();
}

/** The operations of some outcomes; there is nothing else in them. */
export function phaseTotals(outcomes: readonly Outcome[]): Totals {
  const cell = { stage: 0, profile: '', operation: '', counts: noOperations(), errors: new Map<string, number>() };
  const histograms = emptyHistograms();
  const latency = new Map<number, number>();
  for (const { category, durationMs, count } of outcomes) {
    cell.counts.offered += count;
    cell.counts.sent += count;
    if (category === '') {
      cell.counts.succeeded += count;
      const at = cellOf(Math.round(durationMs * 1000));
      latency.set(at, (latency.get(at) ?? 0) + count);
    } else if (category === 'lost') cell.counts.lost += count;
    else {
      cell.counts.failed += count;
      addTallies(cell.errors, [[category, count]]);
    }
  }
  histograms.latency.addCells(cellList(latency));
  return new SelectedTotals([{ ...cell, histograms, withoutFloor: new HdrCounts() }], [], [], (name) => name);
}

/** Two levels of maps, because a key of both would have to be made for every series of every batch. */
class ByStageAndProfile<Value> {
  private readonly byStage = new Map<number, Map<string, Value>>();

  get(stage: number, profile: string, make: () => Value): Value {
    let byProfile = this.byStage.get(stage);
    if (byProfile === undefined) this.byStage.set(stage, (byProfile = new Map()));
    let value = byProfile.get(profile);
    if (value === undefined) byProfile.set(profile, (value = make()));
    return value;
  }

  select({ stages, profile, profiles }: Selection): readonly Value[] {
    const names = profile === undefined ? profiles : [profile];
    return (stages ?? [...this.byStage.keys()]).flatMap((stage): readonly Value[] => {
      const byProfile = this.byStage.get(stage);
      if (byProfile === undefined) return [];
      if (names === undefined) return [...byProfile.values()];
      return names.flatMap((name) => byProfile.get(name) ?? []);
    });
  }
}

export interface SelectedCells {
  readonly operations: readonly OperationCell[];
  readonly sessions: readonly SessionCell[];
  readonly replicas: readonly ReplicaCell[];
}

/** The sums of a selection over several stores. */
export function selectFrom(
  stores: readonly SeriesStore[],
  selection: Selection,
  nameOf: (replica: string) => string,
): Totals {
  const cells = stores.map((store) => store.cells(selection));
  return new SelectedTotals(
    cells.flatMap(({ operations }) => operations),
    cells.flatMap(({ sessions }) => sessions),
    cells.flatMap(({ replicas }) => replicas),
    nameOf,
  );
}

/** Sums of the cells that share a name, in order of the names. */
function byName(cells: readonly ReplicaCell[], nameOf: (replica: string) => string): readonly ReplicaTotals[] {
  const totals = new Map<string, ReplicaTotals & { readonly counts: ReplicaCounts }>();
  for (const { replica, counts, latency, latencyFloor } of cells) {
    const name = nameOf(replica);
    const sum = totals.get(name) ?? {
      name,
      counts: noReplica(),
      latency: new HdrCounts(),
      latencyFloor: new HdrCounts(),
    };
    totals.set(name, sum);
    addReplica(sum.counts, counts);
    sum.latency.addAll(latency);
    sum.latencyFloor.addAll(latencyFloor);
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
    return new SelectedHistograms(this.operationCells);
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

/** Each is summed when it is read: a live threshold looks at one of them. */
class SelectedHistograms implements Record<HistogramName, HdrCounts> {
  private readonly sums = new Map<HistogramName, HdrCounts>();

  constructor(private readonly cells: readonly OperationCell[]) {}

  get latency(): HdrCounts {
    return this.sum('latency');
  }
  get service(): HdrCounts {
    return this.sum('service');
  }
  get lag(): HdrCounts {
    return this.sum('lag');
  }
  get failure(): HdrCounts {
    return this.sum('failure');
  }
  get latencyFloor(): HdrCounts {
    return this.sum('latencyFloor');
  }
  get serviceFloor(): HdrCounts {
    return this.sum('serviceFloor');
  }

  private sum(name: HistogramName): HdrCounts {
    const known = this.sums.get(name);
    if (known !== undefined) return known;
    const lists = this.cells.map(({ histograms }) => histograms[name].toList());
    const sum = new HdrCounts().addCells(sumOfLists(lists));
    this.sums.set(name, sum);
    return sum;
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
    latencyFloor: new HdrCounts(),
    serviceFloor: new HdrCounts(),
  };
}
