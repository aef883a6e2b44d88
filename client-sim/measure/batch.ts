import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { cellList, packCells } from '../protocol/histogram-codec.js';
import { MOST_CLASS, type OutcomeSeries } from '../protocol/outcomes.js';
import { addStreams, type Flow, noStreams, sumOfFlows } from '../protocol/streams.js';
import {
  type ErrorSample,
  type HistogramName,
  histogramNames,
  type OperationSeries,
  type OwnTimeReport,
  type ReplicaSeries,
  type SessionSeries,
  type Telemetry,
} from '../protocol/telemetry.js';
import { addGaps, type GapCells } from './arrival-gaps.js';
import type { CellCounts } from './duration-histogram.js';
import { addOwnTime } from './health/own-share.js';
import { OUTCOME_ROW, type OutcomeRows } from './outcome-bins.js';
import {
  CATCH_UP,
  CONNECT,
  COUNTERS,
  type CounterName,
  DELIVERY,
  FLOOR,
  HISTOGRAMS_PER_SERIES,
  LAG,
  LATENCY_FLOOR,
  REPLICA_LATENCY,
  SERVICE_FLOOR,
  SeriesLayout,
} from './series.js';
import {
  COUNTER_ROW,
  emptyReplica,
  emptySession,
  type ProfileGauges,
  REPLICA_COUNTS,
  type ReplicaRow,
  type SessionRow,
  type Snapshot,
} from './snapshot.js';

const OUTCOME_CLASSES = MOST_CLASS + 1;

/** The counts of one series before they are encoded; the metrics page reads them in this form. */
interface SeriesCounts {
  readonly counts: Record<CounterName, number>;
  readonly errors: Record<string, number>;
}

interface ReplicaSum {
  readonly row: ReplicaRow;
  readonly latency: CellCounts;
  readonly latencyFloor: CellCounts;
}

/** The sum of all threads' snapshots of one interval. Adding is commutative and associative. */
export class Batch {
  readonly layout: SeriesLayout;
  readonly series = new Map<number, SeriesCounts>();
  readonly cells = new Map<number, CellCounts>();
  readonly sessions = new Map<number, SessionRow>();
  /** By group and name, because each thread has its own numbers for replicas. */
  readonly replicas = new Map<string, ReplicaSum>();
  readonly gauges: ProfileGauges[] = [];
  readonly samples: ErrorSample[] = [];
  /** By series and category: counts by bin and class of duration. */
  private readonly outcomes = new Map<
    string,
    { readonly series: number; readonly category: string; readonly counts: Map<number, number> }
  >();
  /** By publisher. */
  readonly flows = new Map<number, Flow>();
  /** The loop figures are those of the worst thread. */
  loopUtilization = 0;
  loopDelayP99Ms = 0;
  processorWait: number | undefined;
  /** Undefined: some thread cannot know it, or there was none. */
  private own: OwnTimeReport | undefined;
  private gaps: GapCells | undefined;
  private threads = 0;
  toMs = 0;
  stage = 0;

  constructor(private readonly plan: WorkerPlan) {
    this.layout = new SeriesLayout(plan);
  }

  add(snapshot: Snapshot): void {
    this.addCounters(snapshot.counters);
    this.addCells(snapshot.cells, snapshot.replicaNames);
    for (const row of snapshot.replicas) this.addReplica(row);
    for (const { series, category, count } of snapshot.errors) {
      const errors = this.countsOf(series).errors;
      errors[category] = (errors[category] ?? 0) + count;
    }
    for (const row of snapshot.sessions) this.addSession(row);
    this.gauges.push(...snapshot.gauges);
    this.samples.push(...snapshot.samples);
    for (const flow of snapshot.flows) this.addFlow(flow);
    if (snapshot.outcomes !== undefined) this.addOutcomes(snapshot.outcomes);
    this.loopUtilization = Math.max(this.loopUtilization, snapshot.loop.utilization);
    this.loopDelayP99Ms = Math.max(this.loopDelayP99Ms, snapshot.loop.delayP99Ms);
    if (snapshot.loop.processorWait !== undefined)
      this.processorWait = Math.max(this.processorWait ?? 0, snapshot.loop.processorWait);
    const { own } = snapshot;
    const known = this.threads++ === 0 || this.own !== undefined;
    this.own = own === undefined || !known ? undefined : addOwnTime(this.own, own);
    this.gaps = addGaps(this.gaps, snapshot.gaps);
    this.toMs = Math.max(this.toMs, snapshot.toMs);
    this.stage = Math.max(this.stage, snapshot.stage);
  }

  /** Send lag of all series together. */
  lagCells(): CellCounts {
    const lag: CellCounts = new Map();
    for (const [histogram, cells] of this.cells) {
      if (histogram >= this.layout.size * HISTOGRAMS_PER_SERIES || histogram % HISTOGRAMS_PER_SERIES !== LAG) continue;
      for (const [cell, count] of cells) lag.set(cell, (lag.get(cell) ?? 0) + count);
    }
    return lag;
  }

  /** As in telemetry. */
  ownTime(): OwnTimeReport | undefined {
    const planned = pack(this.gaps?.planned);
    const sent = pack(this.gaps?.sent);
    if (this.own === undefined || planned === undefined || sent === undefined) return this.own;
    return { ...this.own, gaps: { planned, sent } };
  }

  /** The gauges summed over profiles, as in telemetry. */
  totals(): Telemetry['gauges'] {
    const totals = { clients: 0, sessions: 0, connections: 0, inFlight: 0, queued: 0 };
    for (const gauges of this.gauges) {
      totals.clients += gauges.clients;
      totals.sessions += gauges.sessions;
      totals.connections += gauges.connections;
      totals.inFlight += gauges.inFlight;
      totals.queued += gauges.queued;
    }
    return totals;
  }

  operationSeries(): OperationSeries[] {
    return [...this.series]
      .sort(([a], [b]) => a - b)
      .map(([series, { counts, errors }]) => {
        const { stage, profile, operation } = this.layout.place(series);
        const plan = this.plan.profiles[profile];
        const histograms: Partial<Record<HistogramName, string>> = {};
        histogramNames.forEach((name, kind) => {
          const packed = pack(this.cellsOfSeries(series, kind));
          if (packed !== undefined) histograms[name] = packed;
        });
        return {
          stage,
          profile: plan?.name ?? '',
          operation: plan?.operations[operation]?.name ?? '',
          ...counts,
          errors,
          histograms,
        };
      });
  }

  sessionSeries(): SessionSeries[] {
    const groups = new Set([...this.sessions.keys(), ...this.groupsWithConnect()]);
    return [...groups]
      .sort((a, b) => a - b)
      .map((group) => {
        const { stage, profile } = this.layout.groupPlace(group);
        const { group: _, ...counts } = this.sessions.get(group) ?? emptySession(group);
        const { streams, clockErrorUs, ...rest } = counts;
        const packed = (kind: number) => pack(this.cells.get(this.layout.groupHistogram(group, kind)));
        const [connect, delivery, catchUp] = [packed(CONNECT), packed(DELIVERY), packed(CATCH_UP)];
        return {
          stage,
          profile: this.plan.profiles[profile]?.name ?? '',
          ...rest,
          ...(connect === undefined ? {} : { connect }),
          ...(addStreams(noStreams(), streams) ? { streams } : {}),
          ...(delivery === undefined ? {} : { delivery, clockErrorMs: clockErrorUs / 1000 }),
          ...(catchUp === undefined ? {} : { catchUp }),
        };
      });
  }

  replicaSeries(): ReplicaSeries[] {
    return [...this.replicas.values()]
      .sort((a, b) => a.row.group - b.row.group || (a.row.replica < b.row.replica ? -1 : 1))
      .map(({ row: { group, ...counts }, latency, latencyFloor }) => {
        const { stage, profile } = this.layout.groupPlace(group);
        const packed = pack(latency);
        const floor = pack(latencyFloor);
        return {
          stage,
          profile: this.plan.profiles[profile]?.name ?? '',
          ...counts,
          ...(packed === undefined ? {} : { latency: packed }),
          ...(floor === undefined ? {} : { latencyFloor: floor }),
        };
      });
  }

  outcomeSeries(): OutcomeSeries[] {
    return [...this.outcomes.values()].map(({ series, category, counts }) => {
      const { stage, profile, operation } = this.layout.place(series);
      const plan = this.plan.profiles[profile];
      return {
        stage,
        profile: plan?.name ?? '',
        operation: plan?.operations[operation]?.name ?? '',
        category,
        counts: [...counts].flatMap(([at, count]) => [Math.floor(at / OUTCOME_CLASSES), at % OUTCOME_CLASSES, count]),
      };
    });
  }

  /** @param kind index in `histogramNames` */
  private cellsOfSeries(series: number, kind: number): CellCounts | undefined {
    const first = series * HISTOGRAMS_PER_SERIES;
    const own = this.cells.get(first + kind);
    if (kind !== LATENCY_FLOOR && kind !== SERVICE_FLOOR) return own;
    const shared = this.cells.get(first + FLOOR);
    // Without operations that waited for room, the floors are one: it is sent once.
    if (own === undefined) return kind === LATENCY_FLOOR ? shared : undefined;
    const sum = new Map(shared);
    for (const [cell, count] of own) sum.set(cell, (sum.get(cell) ?? 0) + count);
    return sum;
  }

  private groupsWithConnect(): number[] {
    const first = this.layout.groupHistogram(0, CONNECT);
    const end = first + this.layout.groups;
    return [...this.cells.keys()]
      .filter((histogram) => histogram >= first && histogram < end)
      .map((histogram) => histogram - first);
  }

  private addCounters(rows: Uint32Array): void {
    for (let at = 0; at < rows.length; at += COUNTER_ROW) {
      const { counts } = this.countsOf(rows[at] ?? 0);
      COUNTERS.forEach((name, column) => {
        counts[name] += rows[at + 1 + column] ?? 0;
      });
    }
  }

  private addReplica(row: ReplicaRow): void {
    const sum = this.replica(row.group, row.replica).row;
    for (const name of REPLICA_COUNTS) sum[name] += row[name];
  }

  private replica(group: number, replica: string): ReplicaSum {
    const key = `${group} ${replica}`;
    const known = this.replicas.get(key) ?? {
      row: emptyReplica(group, replica),
      latency: new Map<number, number>(),
      latencyFloor: new Map<number, number>(),
    };
    this.replicas.set(key, known);
    return known;
  }

  private cellsOf(histogram: number, replicaNames: readonly string[]): CellCounts {
    const place = this.layout.replicaPlace(histogram);
    if (place !== undefined) {
      const sum = this.replica(place.group, replicaNames[place.replica] ?? '');
      return place.kind === REPLICA_LATENCY ? sum.latency : sum.latencyFloor;
    }
    const known = this.cells.get(histogram) ?? new Map<number, number>();
    this.cells.set(histogram, known);
    return known;
  }

  private addCells(runs: Uint32Array, replicaNames: readonly string[]): void {
    for (let at = 0; at < runs.length; ) {
      const histogram = runs[at] ?? 0;
      const length = runs[at + 1] ?? 0;
      const cells = this.cellsOf(histogram, replicaNames);
      at += 2;
      for (const end = at + 2 * length; at < end; at += 2) {
        const cell = runs[at] ?? 0;
        cells.set(cell, (cells.get(cell) ?? 0) + (runs[at + 1] ?? 0));
      }
    }
  }

  private addSession(row: SessionRow): void {
    const sum = this.sessions.get(row.group) ?? emptySession(row.group);
    this.sessions.set(row.group, sum);
    sum.sessionsOpened += row.sessionsOpened;
    sum.sessionsClosed += row.sessionsClosed;
    sum.sessionsLost += row.sessionsLost;
    sum.sessionsAnswered += row.sessionsAnswered;
    sum.connectionsOpened += row.connectionsOpened;
    sum.messagesSent += row.messagesSent;
    sum.messagesReceived += row.messagesReceived;
    sum.bytesSent += row.bytesSent;
    sum.bytesReceived += row.bytesReceived;
    sum.lateAnswers += row.lateAnswers;
    addStreams(sum.streams, row.streams);
    sum.clockErrorUs = Math.max(sum.clockErrorUs, row.clockErrorUs);
    for (const [category, count] of Object.entries(row.connectFailures)) {
      sum.connectFailures[category] = (sum.connectFailures[category] ?? 0) + count;
    }
    for (const [key, count] of Object.entries(row.misbehaved)) sum.misbehaved[key] = (sum.misbehaved[key] ?? 0) + count;
  }

  private addFlow(flow: Flow): void {
    const sum = this.flows.get(flow.publisher);
    if (sum === undefined) this.flows.set(flow.publisher, flow);
    else this.flows.set(flow.publisher, sumOfFlows(sum, flow));
  }

  private addOutcomes({ categories, rows }: OutcomeRows): void {
    for (let at = 0; at < rows.length; at += OUTCOME_ROW) {
      const [series = 0, bin = 0, number = 0, durationClass = 0, count = 0] = rows.slice(at, at + OUTCOME_ROW);
      const category = categories[number] ?? '';
      const key = `${series} ${category}`;
      const known = this.outcomes.get(key) ?? { series, category, counts: new Map<number, number>() };
      this.outcomes.set(key, known);
      const place = bin * OUTCOME_CLASSES + durationClass;
      known.counts.set(place, (known.counts.get(place) ?? 0) + count);
    }
  }

  private countsOf(series: number): SeriesCounts {
    const known = this.series.get(series);
    if (known !== undefined) return known;
    const fresh: SeriesCounts = {
      counts: { offered: 0, sent: 0, succeeded: 0, failed: 0, dropped: 0, lost: 0, unsent: 0 },
      errors: {},
    };
    this.series.set(series, fresh);
    return fresh;
  }
}

function pack(cells: CellCounts | undefined): string | undefined {
  return cells === undefined ? undefined : packCells(cellList(cells));
}
