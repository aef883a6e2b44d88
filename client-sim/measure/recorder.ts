import { type ErrorSample, MOST_SAMPLES_OF_CATEGORY } from '../protocol/telemetry.js';
import { DurationHistogram } from './duration-histogram.js';
import type { Failure } from './failure.js';
import { MessageShapes } from './message-shapes.js';
import { ReplicaCounters } from './replica-counters.js';
import { ReplicaNames } from './replica-names.js';
import {
  CATCH_UP,
  CONNECT,
  COUNTERS,
  DELIVERY,
  FAILED,
  FAILURE,
  FLOOR,
  HISTOGRAMS_PER_GROUP,
  HISTOGRAMS_PER_SERIES,
  LAG,
  LATENCY,
  LATENCY_FLOOR,
  REPLICA_FAILED,
  SENT,
  SERVICE,
  SERVICE_FLOOR,
  type SeriesLayout,
  SUCCEEDED,
} from './series.js';
import { type ErrorCount, emptySession, NumberList, pushCells, type SessionRow, type Snapshot } from './snapshot.js';

/** Samples kept per thread and run: more categories than this are noise. */
const MAX_SAMPLES = 64;

type WireCounts = Pick<
  SessionRow,
  'connectionsOpened' | 'messagesSent' | 'messagesReceived' | 'bytesSent' | 'bytesReceived' | 'lateAnswers'
>;

/**
 * The counters and histograms of one engine thread since the last snapshot. Hot path: arrays by number, no allocation.
 */
export class Recorder {
  private readonly counters: Uint32Array;
  private readonly histograms: (DurationHistogram | undefined)[];
  /** Histograms of finished stages for reuse: 92 KiB each. */
  private readonly spare: DurationHistogram[] = [];
  private readonly errors = new Map<number, Map<string, number>>();
  private readonly sessions = new Map<number, SessionRow>();
  /** The shapes of the messages that have a sample, by category, profile and operation. */
  private readonly sampled = new Map<string, Set<string>>();
  private readonly shapes = new MessageShapes();
  private samplesMade = 0;
  private samples: ErrorSample[] = [];
  private readonly rows = new NumberList();
  private readonly runs = new NumberList();
  readonly replicas: ReplicaCounters;
  /** The group of each series, so that answers need no division. */
  private readonly groups: Int32Array;

  constructor(
    private readonly layout: SeriesLayout,
    names: ReplicaNames = new ReplicaNames(),
  ) {
    this.replicas = new ReplicaCounters(layout, names);
    this.groups = Int32Array.from({ length: layout.size }, (_, series) => layout.groupOf(series));
    this.counters = new Uint32Array(layout.size * COUNTERS.length);
    this.histograms = new Array<DurationHistogram | undefined>(
      layout.size * HISTOGRAMS_PER_SERIES + layout.groups * HISTOGRAMS_PER_GROUP,
    );
  }

  count(series: number, counter: number): void {
    const index = series * COUNTERS.length + counter;
    this.counters[index] = (this.counters[index] as number) + 1;
  }

  // Durations are given as cells (see `cellAt`): V8 first puts a double on the heap to give it to a function that it
  // does not inline (measured: 75 bytes an operation, and 5 % of the time in its collection).

  recordSent(series: number, lag: number): void {
    this.count(series, SENT);
    this.cells(series * HISTOGRAMS_PER_SERIES + LAG).add(lag);
  }

  /**
   * @param latency,service cells
   * @param replica number of the replica that answered; 0: not known
   */
  recordSucceeded(series: number, latency: number, service: number, replica: number): void {
    this.count(series, SUCCEEDED);
    this.cells(series * HISTOGRAMS_PER_SERIES + LATENCY).add(latency);
    this.cells(series * HISTOGRAMS_PER_SERIES + SERVICE).add(service);
    if (replica > 0) this.replicas.recordSucceeded(this.groups[series] as number, replica, latency);
  }

  /**
   * What remains without our own share of the latency of an operation that did not wait for room, and so of its
   * service time, too; beside `recordSucceeded`.
   * @param floor cell
   */
  recordFloor(series: number, floor: number, replica: number): void {
    this.cells(series * HISTOGRAMS_PER_SERIES + FLOOR).add(floor);
    if (replica > 0) this.replicas.recordFloor(this.groups[series] as number, replica, floor);
  }

  /**
   * The same of an operation that waited for room.
   * @param latency,service cells
   */
  recordFloors(series: number, latency: number, service: number, replica: number): void {
    this.cells(series * HISTOGRAMS_PER_SERIES + LATENCY_FLOOR).add(latency);
    this.cells(series * HISTOGRAMS_PER_SERIES + SERVICE_FLOOR).add(service);
    if (replica > 0) this.replicas.recordFloor(this.groups[series] as number, replica, latency);
  }

  /** Counts a failure for a replica, in addition to `recordFailed`. Precondition: the replica is known, so not 0. */
  recordFailedAt(series: number, replica: number): void {
    this.replicas.count(this.groups[series] as number, replica, REPLICA_FAILED);
  }

  /** @param sinceDueMs from due to the end; failures are not part of the latency histograms */
  recordFailed(
    series: number,
    sinceDueMs: number,
    failure: Failure,
    atMs: number,
    name: { readonly profile: string; readonly operation: string },
  ): void {
    this.count(series, FAILED);
    this.cells(series * HISTOGRAMS_PER_SERIES + FAILURE).record(sinceDueMs);
    const byCategory = this.errors.get(series) ?? new Map<string, number>();
    this.errors.set(series, byCategory);
    byCategory.set(failure.category, (byCategory.get(failure.category) ?? 0) + 1);
    this.sample(failure, atMs, name);
  }

  sessionRow(group: number): SessionRow {
    const known = this.sessions.get(group);
    if (known !== undefined) return known;
    const row = emptySession(group);
    this.sessions.set(group, row);
    return row;
  }

  recordOpened(group: number, connectMs: number): void {
    this.sessionRow(group).sessionsOpened++;
    this.cells(this.layout.groupHistogram(group, CONNECT)).record(connectMs);
  }

  /** @param clockErrorUs by how much the clocks of publisher and subscriber may differ */
  recordDelivered(group: number, afterMs: number, clockErrorUs: number): void {
    this.cells(this.layout.groupHistogram(group, DELIVERY)).record(afterMs);
    const row = this.sessionRow(group);
    if (clockErrorUs > row.clockErrorUs) row.clockErrorUs = clockErrorUs;
  }

  recordCaughtUp(group: number, afterMs: number): void {
    this.sessionRow(group);
    this.cells(this.layout.groupHistogram(group, CATCH_UP)).record(afterMs);
  }

  recordOpenFailed(
    group: number,
    failure: Failure,
    atMs: number,
    name: { readonly profile: string; readonly operation: string },
  ): void {
    const failures = this.sessionRow(group).connectFailures;
    failures[failure.category] = (failures[failure.category] ?? 0) + 1;
    this.sample(failure, atMs, name);
  }

  /**
   * @param key see `misbehaviourKey`
   * @param failure how the server reacted; undefined: it answered as if nothing were wrong
   */
  recordMisbehaved(
    group: number,
    key: string,
    failure: Failure | undefined,
    atMs: number,
    name: { readonly profile: string; readonly operation: string },
  ): void {
    const done = this.sessionRow(group).misbehaved;
    done[key] = (done[key] ?? 0) + 1;
    if (failure !== undefined) this.sample(failure, atMs, name, key);
  }

  recordWire(group: number, delta: WireCounts): void {
    const row = this.sessionRow(group);
    row.connectionsOpened += delta.connectionsOpened;
    row.messagesSent += delta.messagesSent;
    row.messagesReceived += delta.messagesReceived;
    row.bytesSent += delta.bytesSent;
    row.bytesReceived += delta.bytesReceived;
    row.lateAnswers += delta.lateAnswers;
  }

  /** @returns everything since the last call */
  take(): Pick<Snapshot, 'counters' | 'cells' | 'errors' | 'sessions' | 'samples' | 'replicas' | 'replicaNames'> {
    const errors: ErrorCount[] = [];
    for (const [series, byCategory] of this.errors) {
      for (const [category, count] of byCategory) errors.push({ series, category, count });
    }
    this.errors.clear();
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    const samples = this.samples;
    this.samples = [];
    const replicas = this.replicas.takeRows();
    const { names } = this.replicas;
    const replicaNames =
      replicas.length === 0 ? [] : Array.from({ length: names.size }, (_, number) => names.nameOf(number));
    return {
      counters: this.takeCounters(),
      cells: this.takeCells(),
      errors,
      sessions,
      samples,
      replicas,
      replicaNames,
    };
  }

  private takeCounters(): Uint32Array<ArrayBuffer> {
    const counters = this.counters;
    for (let series = 0; series < this.layout.size; series++) {
      const from = series * COUNTERS.length;
      let any = 0;
      for (let counter = 0; counter < COUNTERS.length; counter++) any |= counters[from + counter] ?? 0;
      if (any === 0) continue;
      this.rows.push(series);
      for (let counter = 0; counter < COUNTERS.length; counter++) this.rows.push(counters[from + counter] ?? 0);
    }
    counters.fill(0);
    return this.rows.take();
  }

  private takeCells(): Uint32Array<ArrayBuffer> {
    const runs = this.runs;
    this.histograms.forEach((cells, histogram) => {
      if (cells === undefined) return;
      if (cells.empty) {
        this.histograms[histogram] = undefined;
        this.spare.push(cells);
        return;
      }
      pushCells(runs, histogram, cells);
    });
    this.replicas.drainLatency(runs);
    return runs.take();
  }

  private cells(histogram: number): DurationHistogram {
    const known = this.histograms[histogram];
    if (known !== undefined) return known;
    const cells = this.spare.pop() ?? new DurationHistogram();
    this.histograms[histogram] = cells;
    return cells;
  }

  private sample(
    failure: Failure,
    atMs: number,
    name: { readonly profile: string; readonly operation: string },
    category: string = failure.category,
  ): void {
    if (this.samplesMade >= MAX_SAMPLES) return;
    const key = `${category} ${name.profile} ${name.operation}`;
    const known = this.sampled.get(key) ?? new Set<string>();
    this.sampled.set(key, known);
    if (known.size >= MOST_SAMPLES_OF_CATEGORY) return;
    const shape = this.shapes.of(key, failure.detail);
    if (shape === undefined || known.has(shape)) return;
    known.add(shape);
    this.samplesMade += 1;
    this.samples.push({
      category,
      profile: name.profile,
      operation: name.operation,
      atMs,
      detail: failure.detail,
      ...(failure.sample === undefined ? {} : { request: failure.sample.request, response: failure.sample.response }),
    });
  }
}
