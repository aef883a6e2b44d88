import {
  type ErrorSample,
  MOST_SAMPLES_OF_CATEGORY,
  messageShape,
  type Telemetry,
} from '../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { RunEvent } from '../../log/events.js';
import type { Replica, UsageSample } from '../../platform/platform.js';
import { type Deliveries, DeliveryCounters } from '../facts/delivery-counters.js';
import { type FaultEvent, type FaultRecord, FaultRecords, isFaultEvent } from '../facts/fault-records.js';
import { otherQuantiles } from '../facts/quantiles.js';
import { keyOf, withOwnIds } from '../facts/replica-ids.js';
import { plannedEndMs } from '../facts/stages.js';
import { type UsageSeries, UsageStore } from '../facts/usage-series.js';
import { CountersByWorker, type WorkerCounters } from '../facts/worker-counters.js';
import { type Block, BlockStore } from './block-store.js';
import { decodeBatch } from './decoded-batch.js';
import { HeatMap, type HeatMapView } from './heat-map.js';
import { OutcomeStore } from './outcome-store.js';
import { type Selection, SeriesStore, selectFrom, type Totals } from './series-store.js';
import { type Second, secondOf, Timeline } from './timeline.js';

/**
 * All of a run's telemetry, merged without loss, as it is read while the run goes on (thresholds, live view) and after
 * it (report, verdict). No I/O, no clock: data in, data out.
 */
export interface Aggregate {
  /** Everything merged that the selection names. */
  select(selection: Selection): Totals;
  /**
   * The same of the batches alone whose `toMs` lies in the window; undefined when it begins before what is still kept.
   * It may reach back no further than the longest `stopWhen` window and 10 s more.
   */
  within(window: TimeWindow): Pick<Aggregate, 'select'> | undefined;
  /**
   * One entry for each second, in order of time, from `fromSecond` (default 0) to the last one reported; a silent
   * second is all zeros. Of runs of more than an hour, old seconds are merged into longer steps.
   */
  timeline(fromSecond?: number): readonly Second[];
  heatMap(): HeatMapView;
  workers(): ReadonlyMap<string, WorkerCounters>;
  /** What became of all publications of the whole run; undefined when nothing was published. */
  deliveries(): Deliveries | undefined;
  usage(): readonly UsageSeries[];
  /** The faults that began, in order of time. */
  faults(): readonly FaultRecord[];
  /** Of the operations that were due around faults; empty in a run without faults. */
  outcomes(): OutcomeStore;
  /** By category: the first failure with each kind of message, in order of time, at most ten. */
  samples(): ReadonlyMap<string, readonly ErrorSample[]>;
  /** The measured time in parts, for comparisons with another run; those without any telemetry are left out. */
  blocks(): readonly Block[];
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

/** Workers are a second or two apart; one that was cut off may send older batches. */
const MOST_OPEN = 4;

/** The batches of one part of the run, summed before they go to what keeps the whole run. */
interface OpenPart {
  readonly store: SeriesStore;
  /** The latest end of its batches. */
  toMs: number;
}

/** An aggregate that is being filled: each batch must be added once, those of one worker in their order. */
export class RunAggregate implements Aggregate {
  private replicas: readonly Replica[] = [];
  private nameOf = replicaNamer([]);
  private readonly store = new SeriesStore((replica) => this.nameOf(replica));
  private readonly _timeline: Timeline;
  private readonly _heatMap = new HeatMap();
  private readonly _workers = new CountersByWorker();
  private readonly _usage = new UsageStore();
  private readonly _faults = new FaultRecords();
  private readonly _deliveries = new DeliveryCounters();
  private readonly _outcomes = new OutcomeStore();
  private readonly _samples = new Map<string, Map<string, ErrorSample>>();
  private readonly _blocks: BlockStore;
  private readonly recent: RecentTotals | undefined;
  /** By the end of the batches where `within` needs it, else by block. Oldest first. */
  private readonly open = new Map<number, OpenPart>();
  private _lastMs = 0;

  /** @param windows of run time that `within` will be asked for */
  constructor(
    private readonly plan: Plan,
    windows: readonly { readonly windowMs: number }[] = plan.stopWhen,
  ) {
    this._blocks = new BlockStore(plan);
    this._timeline = new Timeline(
      plan.stages.map(({ startMs }) => Math.floor(startMs / 1000)),
      [...otherQuantiles(plan).values()],
    );
    const longestMs = Math.max(0, ...windows.map(({ windowMs }) => windowMs));
    this.recent = windows.length === 0 ? undefined : new RecentTotals(longestMs, (replica) => this.nameOf(replica));
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
    const part = this.partOf(batch.toMs);
    part.store.add(decoded);
    part.toMs = Math.max(part.toMs, batch.toMs);
    this._timeline.add(workerId, decoded);
    this._heatMap.add(secondOf(batch.toMs), decoded.latency);
    this._workers.add(workerId, batch, decoded.series, decoded.gaps);
    this._deliveries.add(batch.flows ?? []);
    for (const series of batch.outcomes ?? []) this._outcomes.add(series);
    this.recent?.tidy(this._lastMs);
    for (const sample of batch.samples) this.keepSample(sample);
  }

  /** Takes what the run's events say of replicas, resource use and faults. @param startAt epoch ms of run time 0 */
  addEvent(event: RunEvent, startAt = 0): void {
    if (event.type === 'usage') this.addUsage(event.atMs, event.samples);
    else if (event.type === 'target.ready' || event.type === 'replicas.changed') this.registerReplicas(event.replicas);
    else if (isFaultEvent(event)) this.addFault(event, Date.parse(event.at) - startAt);
    else if (event.type === 'noticed')
      this._faults.addNotice(event, Date.parse(event.happenedAt) - startAt, this.plan.faults);
  }

  /**
   * Adds replicas to those known before. Their ids replace the names that answers give them, also in what was added
   * earlier.
   */
  registerReplicas(replicas: readonly Replica[]): void {
    const known = new Set(this.replicas.map(keyOf));
    const own = withOwnIds(this.replicas, replicas);
    this.replicas = [...this.replicas, ...own.filter((replica) => !known.has(keyOf(replica)))];
    this.nameOf = replicaNamer(this.replicas);
  }

  /** @param atMs run time */
  addUsage(atMs: number, samples: readonly UsageSample[]): void {
    this._usage.add(atMs, samples);
  }

  /** @param atMs run time */
  addFault(event: FaultEvent, atMs: number): void {
    this._faults.add(event, atMs);
    if (event.type === 'fault.started' || event.type === 'fault.ended') this._timeline.keepAround(atMs);
  }

  select(selection: Selection): Totals {
    this.closeAll();
    return this.store.select(selection);
  }
  within(window: TimeWindow): Pick<Aggregate, 'select'> | undefined {
    this.closeAll();
    return this.recent?.within(window);
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
  outcomes(): OutcomeStore {
    return this._outcomes;
  }
  samples(): ReadonlyMap<string, readonly ErrorSample[]> {
    return new Map(
      [...this._samples].map(([category, byShape]) => [category, [...byShape.values()].sort(byOrder)] as const),
    );
  }
  blocks(): readonly Block[] {
    this.closeAll();
    return this._blocks.view(this._lastMs);
  }

  observedMs(index: number): number {
    const stage = this.plan.stages[index];
    return stage === undefined ? 0 : Math.min(stage.durationMs, Math.max(0, this._lastMs - stage.startMs));
  }

  private partOf(toMs: number): OpenPart {
    const key = this.recent === undefined ? this._blocks.partOf(toMs) : toMs;
    const known = this.open.get(key);
    if (known !== undefined) return known;
    for (const [oldest, part] of this.open) {
      if (this.open.size < MOST_OPEN) break;
      this.open.delete(oldest);
      this.close(part);
    }
    const part = { store: new SeriesStore((replica) => this.nameOf(replica)), toMs };
    this.open.set(key, part);
    return part;
  }

  /** Called before what is kept is read; what comes later opens the part anew. */
  private closeAll(): void {
    for (const part of this.open.values()) this.close(part);
    this.open.clear();
  }

  private close({ store, toMs }: OpenPart): void {
    this.store.addAll(store);
    this._blocks.add(store.cells({ stages: undefined }), toMs);
    this.recent?.add(store, toMs, this._lastMs);
  }

  /** Batches come in any order, and which samples are shown must not depend on it. */
  private keepSample(sample: ErrorSample): void {
    const byShape = this._samples.get(sample.category) ?? new Map<string, ErrorSample>();
    this._samples.set(sample.category, byShape);
    const shape = messageShape(sample.detail);
    const known = byShape.get(shape);
    if (known !== undefined && byOrder(known, sample) <= 0) return;
    byShape.set(shape, sample);
    if (byShape.size <= MOST_SAMPLES_OF_CATEGORY) return;
    const latest = [...byShape].reduce((one, other) => (byOrder(one[1], other[1]) < 0 ? other : one));
    byShape.delete(latest[0]);
  }
}

function byOrder(one: ErrorSample, other: ErrorSample): number {
  if (one.atMs !== other.atMs) return one.atMs - other.atMs;
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

/** The histograms of older intervals are packed. */
const openMs = 3000;

/**
 * The totals of the last stretch of run time in short intervals, for the sliding windows of `stopWhen`. They come
 * merged, so their number does not depend on the number of workers.
 */
class RecentTotals {
  /** By run time at the end. */
  private readonly intervals = new Map<number, SeriesStore[]>();
  private readonly unpacked = new Set<number>();
  private readonly keepMs: number;
  private readonly intervalMs: number;
  private prunedBelowMs = 0;
  private tidiedMs = 0;

  constructor(
    longestMs: number,
    private readonly nameOf: (replica: string) => string,
  ) {
    this.keepMs = longestMs + slackMs;
    // Batches end at whole seconds, so windows of up to ten minutes are exact, and longer ones to 1 in 600.
    this.intervalMs = Math.max(100, Math.ceil(longestMs / 60_000) * 100);
  }

  /** @param store of batches that end at `toMs`; nothing is added to it any more */
  add(store: SeriesStore, toMs: number, newestMs: number): void {
    const endMs = Math.ceil(toMs / this.intervalMs) * this.intervalMs;
    if (endMs <= newestMs - this.keepMs) return;
    const stores = this.intervals.get(endMs);
    if (stores === undefined) this.intervals.set(endMs, [store]);
    else stores.push(store);
    this.unpacked.add(endMs);
  }

  /** Forgets and packs what is old: once a second of run time, not for each batch. */
  tidy(newestMs: number): void {
    if (newestMs < this.tidiedMs + 1000) return;
    const oldestMs = newestMs - this.keepMs;
    this.tidiedMs = newestMs;
    this.prunedBelowMs = Math.max(0, oldestMs);
    for (const at of this.intervals.keys()) if (at <= oldestMs) this.intervals.delete(at);
    for (const at of this.unpacked) {
      if (at > newestMs - openMs) continue;
      this.unpacked.delete(at);
      this.pack(at);
    }
  }

  within({ fromMs, toMs }: TimeWindow): Pick<Aggregate, 'select'> | undefined {
    if (Math.max(0, fromMs) < this.prunedBelowMs) return undefined;
    const stores = [...this.intervals].filter(([at]) => at > fromMs && at <= toMs).flatMap(([, all]) => all);
    return { select: (selection) => selectFrom(stores, selection, this.nameOf) };
  }

  private pack(at: number): void {
    const [first, ...others] = this.intervals.get(at) ?? [];
    if (first === undefined) return;
    for (const other of others) first.addAll(other);
    first.pack();
    this.intervals.set(at, [first]);
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
