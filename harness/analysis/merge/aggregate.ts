import type { ErrorSample, Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Check, Plan } from '../../../scenarios/schema/plan.js';
import type { Replica, UsageSample } from '../../platform/platform.js';
import { type Deliveries, DeliveryCounters } from '../facts/delivery-counters.js';
import { FaultCounters, type FaultEvent, type FaultRecord } from '../facts/fault-counters.js';
import { UsageCounters } from '../facts/usage-counters.js';
import { CountersByWorker } from '../facts/worker-counters.js';
import { measure } from '../judge/measure.js';
import type {
  Aggregate,
  Measured,
  Second,
  Selection,
  TimeWindow,
  Totals,
  UsageSeries,
  WorkerCounters,
} from './contract.js';
import { type DecodedBatch, decodeBatch } from './decoded-batch.js';
import { HeatMap, type HeatMapView } from './heat-map.js';
import { SeriesStore } from './series-store.js';
import { secondOf, Timeline } from './timeline.js';

/** No batch of an honest worker lies further beyond the planned end than this. */
function latestMs(plan: Plan): number {
  return endOf(plan) + plan.drainMs + 3_600_000;
}
function endOf(plan: Plan): number {
  return Math.max(0, ...plan.stages.map((stage) => stage.startMs + stage.durationMs));
}
/** Windows are asked for some time after the newest batch. */
const slackMs = 10_000;

export function createAggregate(plan: Plan): Aggregate {
  return new MergedTelemetry(plan);
}

class MergedTelemetry implements Aggregate {
  private replicas: readonly Replica[] = [];
  private nameOf = replicaNamer([]);
  private readonly store = new SeriesStore((replica) => this.nameOf(replica));
  private readonly _timeline = new Timeline();
  private readonly _heatMap = new HeatMap();
  private readonly _workers = new CountersByWorker();
  private readonly _usage = new UsageCounters();
  private readonly _faults = new FaultCounters();
  private readonly flows = new DeliveryCounters();
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

  add(workerId: string, batch: Telemetry): void {
    if (batch.toMs > latestMs(this.plan)) {
      throw new RangeError(
        `telemetry batch ${batch.sequence} of worker ${workerId} ends at ${batch.toMs} ms, an hour beyond the end of the run`,
      );
    }
    const decoded = decodeBatch(batch);
    this._lastMs = Math.max(this._lastMs, batch.toMs);
    this.store.add(decoded);
    this._timeline.add(workerId, decoded);
    for (const { pairs } of decoded.series) this._heatMap.add(secondOf(batch.toMs), pairs.latency ?? []);
    this._workers.add(workerId, batch);
    this.flows.add(batch.flows ?? []);
    this.recent.add(decoded, this._lastMs);
    for (const sample of batch.samples) this.keepEarliest(sample);
  }

  registerReplicas(replicas: readonly Replica[]): void {
    this.replicas = [...this.replicas, ...replicas];
    this.nameOf = replicaNamer(this.replicas);
  }

  addUsage(atMs: number, samples: readonly UsageSample[]): void {
    this._usage.add(atMs, samples);
  }

  addFault(event: FaultEvent, atMs: number): void {
    this._faults.add(event, atMs);
  }

  measure(check: Check, window?: TimeWindow): Measured {
    if (window === undefined)
      return measure(check, { plan: this.plan, aggregate: this, store: this.store, window: undefined });
    const store = this.recent.within(window);
    if (store === undefined)
      return { kind: 'no-data', why: `histograms of a window from ${window.fromMs} ms are no longer kept` };
    return measure(check, { plan: this.plan, aggregate: this, store, window });
  }

  select(selection: Selection): Totals {
    return this.store.select(selection);
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
    return this.flows.deliveries();
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

  /** Batches may come in any order; which sample is shown must not depend on it. */
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

/** The last stretch of run time, batch by batch, for the sliding windows of `stopWhen`. */
class RecentBatches {
  private batches: DecodedBatch[] = [];
  private prunedBelowMs = 0;

  constructor(
    private readonly keepMs: number,
    private readonly nameOf: (replica: string) => string,
  ) {}

  add(decoded: DecodedBatch, newestMs: number): void {
    const floor = newestMs - this.keepMs;
    if (decoded.batch.toMs > floor) this.batches.push(decoded);
    // Pruned a second's worth at a time, not for each batch.
    if (floor > this.prunedBelowMs + 1000) {
      this.prunedBelowMs = floor;
      this.batches = this.batches.filter(({ batch }) => batch.toMs > floor);
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
 * What a replica is called in a report, by what answers call it: the server its own name (in a container mostly the
 * host name), the gateway its address. A name that none of the run's replicas goes by stays what it is.
 */
function replicaNamer(replicas: readonly Replica[]): (wire: string) => string {
  const ids = new Map<string, string>();
  for (const { id, host, url } of replicas) {
    const { hostname, host: address } = new URL(url);
    for (const alias of [hostname, address, host, id]) if (alias !== undefined) ids.set(alias, id);
  }
  // Replicas of one machine share its address: then the port tells them apart, and the address alone tells nothing.
  const addresses = [...new Set(replicas.map(({ url }) => new URL(url).host))].map((host) => host.replace(/:\d+$/, ''));
  for (const hostname of addresses.filter((one, at) => addresses.indexOf(one) !== at))
    if (!replicas.some(({ id, host }) => id === hostname || host === hostname)) ids.delete(hostname);
  return (wire) => ids.get(wire) ?? wire;
}
