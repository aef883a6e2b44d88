import type { Check, Plan } from '../../scenarios/schema/plan.js';
import type { ErrorSample, Telemetry } from '../../client-sim/protocol/telemetry.js';
import type { Replica, UsageSample } from '../platform/platform.js';
import { Cells } from './cells.js';
import type { Aggregate, Measured, Second, Selection, TimeWindow, Totals, UsageSeries, WorkerBook } from './contract.js';
import type { DecodedBatch } from './decoded-batch.js';
import { decodeBatch } from './decoded-batch.js';
import type { Deliveries } from './flows.js';
import { FlowSums } from './flows.js';
import type { HeatMapView } from './heat-map.js';
import { HeatMap } from './heat-map.js';
import { FaultBook, type FaultEvent, type FaultRecord } from './fault-book.js';
import { measure } from './measure.js';
import { replicaNamer } from './replica-names.js';
import { Timeline, secondOf } from './timeline.js';
import { UsageBook } from './usage-book.js';
import { WorkerBooks } from './worker-books.js';

/** No batch of an honest worker lies further beyond the planned end than this. */
const latestMs = (plan: Plan): number => endOf(plan) + plan.drainMs + 3_600_000;
const endOf = (plan: Plan): number => Math.max(0, ...plan.stages.map((stage) => stage.startMs + stage.durationMs));
/** Windows are asked for some time after the newest batch. */
const slackMs = 10_000;

export const createAggregate = (plan: Plan): Aggregate => new MergedTelemetry(plan);

class MergedTelemetry implements Aggregate {
  readonly #plan: Plan;
  #replicas: readonly Replica[] = [];
  #nameOf = replicaNamer([]);
  readonly #cells = new Cells((replica) => this.#nameOf(replica));
  readonly #timeline = new Timeline();
  readonly #heatMap = new HeatMap();
  readonly #workers = new WorkerBooks();
  readonly #usage = new UsageBook();
  readonly #faults = new FaultBook();
  readonly #flows = new FlowSums();
  readonly #samples = new Map<string, ErrorSample>();
  readonly #recent: RecentBatches;
  #lastMs = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#recent = new RecentBatches(Math.max(0, ...plan.stopWhen.map((rule) => rule.windowMs)) + slackMs, (replica) => this.#nameOf(replica));
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  add(workerId: string, batch: Telemetry): void {
    if (batch.toMs > latestMs(this.#plan)) {
      throw new RangeError(`telemetry batch ${batch.sequence} of worker ${workerId} ends at ${batch.toMs} ms, an hour beyond the end of the run`);
    }
    const decoded = decodeBatch(batch);
    this.#lastMs = Math.max(this.#lastMs, batch.toMs);
    this.#cells.add(decoded);
    this.#timeline.add(workerId, decoded);
    for (const { pairs } of decoded.series) this.#heatMap.add(secondOf(batch.toMs), pairs.latency ?? []);
    this.#workers.add(workerId, batch);
    this.#flows.add(batch.flows ?? []);
    this.#recent.add(decoded, this.#lastMs);
    for (const sample of batch.samples) this.#keepEarliest(sample);
  }

  knowReplicas(replicas: readonly Replica[]): void {
    this.#replicas = [...this.#replicas, ...replicas];
    this.#nameOf = replicaNamer(this.#replicas);
  }

  addUsage(atMs: number, samples: readonly UsageSample[]): void {
    this.#usage.add(atMs, samples);
  }

  addFault(event: FaultEvent, atMs: number): void {
    this.#faults.add(event, atMs);
  }

  measure(check: Check, window?: TimeWindow): Measured {
    if (window === undefined) return measure(check, { plan: this.#plan, aggregate: this, cells: this.#cells, window: undefined });
    const cells = this.#recent.within(window);
    if (cells === undefined) return { kind: 'no-data', why: `histograms of a window from ${window.fromMs} ms are no longer kept` };
    return measure(check, { plan: this.#plan, aggregate: this, cells, window });
  }

  select(selection: Selection): Totals {
    return this.#cells.select(selection);
  }
  timeline(fromSecond = 0): readonly Second[] {
    return this.#timeline.view(fromSecond);
  }
  heatMap(): HeatMapView {
    return this.#heatMap.view();
  }
  workers(): ReadonlyMap<string, WorkerBook> {
    return this.#workers.view();
  }
  deliveries(): Deliveries | undefined {
    return this.#flows.deliveries();
  }
  usage(): readonly UsageSeries[] {
    return this.#usage.view();
  }
  faults(): readonly FaultRecord[] {
    return this.#faults.view();
  }
  samples(): ReadonlyMap<string, ErrorSample> {
    return this.#samples;
  }

  observedMs(index: number): number {
    const stage = this.#plan.stages[index];
    return stage === undefined ? 0 : Math.min(stage.durationMs, Math.max(0, this.#lastMs - stage.startMs));
  }

  /** Batches may come in any order; which sample is shown must not depend on it. */
  #keepEarliest(sample: ErrorSample): void {
    const known = this.#samples.get(sample.category);
    if (known === undefined || order(sample) < order(known)) this.#samples.set(sample.category, sample);
  }
}

const order = (sample: ErrorSample): string =>
  `${Math.round(sample.atMs * 1000).toString().padStart(16, '0')} ${JSON.stringify(sample)}`;

/** The last stretch of run time, batch by batch, for the sliding windows of `stopWhen`. */
class RecentBatches {
  readonly #keepMs: number;
  #batches: DecodedBatch[] = [];
  #prunedBelowMs = 0;

  readonly #nameOf: (replica: string) => string;

  constructor(keepMs: number, nameOf: (replica: string) => string) {
    this.#nameOf = nameOf;
    this.#keepMs = keepMs;
  }

  add(decoded: DecodedBatch, newestMs: number): void {
    const floor = newestMs - this.#keepMs;
    if (decoded.batch.toMs > floor) this.#batches.push(decoded);
    // Pruned a second's worth at a time, not for each batch.
    if (floor > this.#prunedBelowMs + 1000) {
      this.#prunedBelowMs = floor;
      this.#batches = this.#batches.filter(({ batch }) => batch.toMs > floor);
    }
  }

  within(window: TimeWindow): Cells | undefined {
    if (Math.max(0, window.fromMs) < this.#prunedBelowMs) return undefined;
    const cells = new Cells(this.#nameOf);
    for (const decoded of this.#batches) {
      if (decoded.batch.toMs > window.fromMs && decoded.batch.toMs <= window.toMs) cells.add(decoded);
    }
    return cells;
  }
}
