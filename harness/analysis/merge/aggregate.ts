import type { ErrorSample, Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { RunEvent } from '../../log/events.js';
import type { Replica, UsageSample } from '../../platform/platform.js';
import { type Deliveries, DeliveryCounters } from '../facts/delivery-counters.js';
import { type FaultEvent, type FaultRecord, FaultRecords, isFaultEvent } from '../facts/fault-records.js';
import { plannedEndMs } from '../facts/stages.js';
import { type UsageSeries, UsageStore } from '../facts/usage-series.js';
import { CountersByWorker, type WorkerCounters } from '../facts/worker-counters.js';
import { type DecodedBatch, decodeBatch } from './decoded-batch.js';
import { HeatMap, type HeatMapView } from './heat-map.js';
import { type Selection, SeriesStore, type Totals } from './series-store.js';
import { type Second, secondOf, Timeline } from './timeline.js';

/**
 * All of a run's telemetry, merged without loss, as it is read while the run goes on (thresholds, live view) and after
 * it (report, verdict). No I/O, no clock: data in, data out.
 */
export interface Aggregate {
  /** Everything merged that the selection names. */
  select(selection: Selection): Totals;
  /**
   * The same of the batches alone whose `toMs` lies in the window; undefined when it begins before the batches that are
   * still kept. It may reach back no further than the longest `stopWhen` window and 10 s more.
   */
  within(window: TimeWindow): Pick<Aggregate, 'select'> | undefined;
  /**
   * One entry for each second, in order of time, from `fromSecond` (default 0) to the last one reported; a silent
   * second is all zeros.
   */
  timeline(fromSecond?: number): readonly Second[];
  heatMap(): HeatMapView;
  workers(): ReadonlyMap<string, WorkerCounters>;
  /** What became of all publications of the whole run; undefined when nothing was published. */
  deliveries(): Deliveries | undefined;
  usage(): readonly UsageSeries[];
  /** The faults that began, in order of time. */
  faults(): readonly FaultRecord[];
  /** First answer of each category, by category. */
  samples(): ReadonlyMap<string, ErrorSample>;
  /** How much of stage `index` telemetry covers, ms; less than planned when the run was cut. */
  observedMs(stage: number): number;
  /** Run time of the newest batch. */
  readonly lastMs: number;
}

export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How much of these stages telemetry covers. @param stages indices */
export function observedSeconds(aggregate: Pick<Aggregate, 'observedMs'>, stages: readonly number[]): number {
  return stages.reduce((sum, stage) => sum + aggregate.observedMs(stage), 0) / 1000;
}

/** A batch that ends later than this after the planned end and the drain is broken. */
const latestBatchMs = 3_600_000;
/** A window may be read some time after its newest batch came. */
const slackMs = 10_000;

/** An aggregate that is being filled: each batch must be added once, in any order. */
export class RunAggregate implements Aggregate {
  private replicas: readonly Replica[] = [];
  private nameOf = replicaNamer([]);
  private readonly store = new SeriesStore((replica) => this.nameOf(replica));
  private readonly _timeline = new Timeline();
  private readonly _heatMap = new HeatMap();
  private readonly _workers = new CountersByWorker();
  private readonly _usage = new UsageStore();
  private readonly _faults = new FaultRecords();
  private readonly _deliveries = new DeliveryCounters();
  private readonly _samples = new Map<string, ErrorSample>();
  private readonly recent: RecentBatches;
  private _lastMs = 0;

  constructor(private readonly plan: Plan) {
    this.recent = new RecentBatches(Math.max(0, ...plan.stopWhen.map((rule) => rule.windowMs)) + slackMs, (replica) =>
      this.nameOf(replica),
    );
  }

  get lastMs(): number {
    return this._lastMs;
  }

  /** @throws Error when a histogram is not what the protocol says; nothing of the batch is counted then */
  add(workerId: string, batch: Telemetry): void {
    if (batch.toMs > plannedEndMs(this.plan) + this.plan.drainMs + latestBatchMs) {
      throw new RangeError(
        `telemetry batch ${batch.sequence} of worker ${workerId} ends at ${batch.toMs} ms, ` +
          'an hour beyond the end of the run',
      );
    }
    const decoded = decodeBatch(batch);
    this._lastMs = Math.max(this._lastMs, batch.toMs);
    this.store.add(decoded);
    this._timeline.add(workerId, decoded);
    for (const { pairs } of decoded.series) this._heatMap.add(secondOf(batch.toMs), pairs.latency ?? []);
    this._workers.add(workerId, batch);
    this._deliveries.add(batch.flows ?? []);
    this.recent.add(decoded, this._lastMs);
    for (const sample of batch.samples) this.keepEarliest(sample);
  }

  /** Takes what the run's events say of replicas, resource use and faults. @param startAt epoch ms of run time 0 */
  addEvent(event: RunEvent, startAt = 0): void {
    if (event.type === 'usage') this.addUsage(event.atMs, event.samples);
    else if (event.type === 'target.ready' || event.type === 'replicas.changed') this.registerReplicas(event.replicas);
    else if (isFaultEvent(event)) this.addFault(event, Date.parse(event.at) - startAt);
  }

  /**
   * Adds replicas to those known before. Their ids replace the names that answers give them, also in what was added
   * earlier.
   */
  registerReplicas(replicas: readonly Replica[]): void {
    this.replicas = [...this.replicas, ...replicas];
    this.nameOf = replicaNamer(this.replicas);
  }

  /** @param atMs run time */
  addUsage(atMs: number, samples: readonly UsageSample[]): void {
    this._usage.add(atMs, samples);
  }

  /** @param atMs run time */
  addFault(event: FaultEvent, atMs: number): void {
    this._faults.add(event, atMs);
  }

  select(selection: Selection): Totals {
    return this.store.select(selection);
  }
  within(window: TimeWindow): SeriesStore | undefined {
    return this.recent.within(window);
  }
  timeline(fromSecond = 0): readonly Second[] {
    return this._timeline.view(fromSecond);
  }
  heatMap(): HeatMapView {
    return this._heatMap.view();
  }
  workers(): ReadonlyMap<string, WorkerCounters> {
    return this._workers.view();
  }
  deliveries(): Deliveries | undefined {
    return this._deliveries.deliveries();
  }
  usage(): readonly UsageSeries[] {
    return this._usage.view();
  }
  faults(): readonly FaultRecord[] {
    return this._faults.view();
  }
  samples(): ReadonlyMap<string, ErrorSample> {
    return this._samples;
  }

  observedMs(index: number): number {
    const stage = this.plan.stages[index];
    return stage === undefined ? 0 : Math.min(stage.durationMs, Math.max(0, this._lastMs - stage.startMs));
  }

  /** Batches come in any order, and which sample is shown must not depend on it. */
  private keepEarliest(sample: ErrorSample): void {
    const known = this._samples.get(sample.category);
    if (known === undefined || order(sample) < order(known)) this._samples.set(sample.category, sample);
  }
}

function order(sample: ErrorSample): string {
  return `${Math.round(sample.atMs * 1000)
    .toString()
    .padStart(16, '0')} ${JSON.stringify(sample)}`;
}

/** The batches of the last stretch of run time, for the sliding windows of `stopWhen`. */
class RecentBatches {
  private batches: DecodedBatch[] = [];
  private prunedBelowMs = 0;

  constructor(
    private readonly keepMs: number,
    private readonly nameOf: (replica: string) => string,
  ) {}

  add(decoded: DecodedBatch, newestMs: number): void {
    const oldestMs = newestMs - this.keepMs;
    if (decoded.batch.toMs > oldestMs) this.batches.push(decoded);
    // Old batches are dropped once a second of run time, not for each batch.
    if (oldestMs > this.prunedBelowMs + 1000) {
      this.prunedBelowMs = oldestMs;
      this.batches = this.batches.filter(({ batch }) => batch.toMs > oldestMs);
    }
  }

  within(window: TimeWindow): SeriesStore | undefined {
    if (Math.max(0, window.fromMs) < this.prunedBelowMs) return undefined;
    const store = new SeriesStore(this.nameOf);
    for (const decoded of this.batches) {
      if (decoded.batch.toMs > window.fromMs && decoded.batch.toMs <= window.toMs) store.add(decoded);
    }
    return store;
  }
}

/**
 * Finds the id of a replica by the name that answers give: a server names itself (in a container mostly by its host
 * name), a gateway gives its address. A name that belongs to none of the run's replicas stays as it is.
 */
function replicaNamer(replicas: readonly Replica[]): (name: string) => string {
  const ids = new Map<string, string>();
  for (const { id, host, url } of replicas) {
    const { hostname, host: address } = new URL(url);
    for (const alias of [hostname, address, host, id]) if (alias !== undefined) ids.set(alias, id);
  }
  // Replicas of one machine share its address and differ in their ports, so the address alone names none of them.
  const addresses = [...new Set(replicas.map(({ url }) => new URL(url).host))].map((host) => host.replace(/:\d+$/, ''));
  for (const hostname of addresses.filter((one, at) => addresses.indexOf(one) !== at))
    if (!replicas.some(({ id, host }) => id === hostname || host === hostname)) ids.delete(hostname);
  return (name) => ids.get(name) ?? name;
}
