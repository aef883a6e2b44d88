/**
 * Pure folds over a run's log, used while it runs (thresholds, live view) and after (report, verdict).
 * No I/O, no clock: data in, data out.
 */

import type { StreamCounts } from '../../../client-sim/protocol/streams.js';
import type { ErrorSample, HistogramName, Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Check, Plan, ThresholdPlan } from '../../../scenarios/schema/plan.js';
import type { Replica, UsageSample } from '../../platform/platform.js';
import type { Deliveries } from '../facts/delivery-counters.js';
import type { FaultEvent, FaultRecord } from '../facts/fault-counters.js';
import type { SequenceSet } from '../facts/sequence-set.js';
import type { HdrCounts } from './hdr-counts.js';
import type { HeatMapView } from './heat-map.js';

/** All of a run's telemetry, merged without loss. Batches must be given once each; order does not matter. */
export interface Aggregate {
  /** @throws Error when a histogram is not what the protocol says; nothing of the batch is then counted */
  add(workerId: string, batch: Telemetry): void;
  /**
   * From `target.ready` and `replicas.changed`, beside those known before: what answers call these is their id, in what
   * has been added as well.
   */
  registerReplicas(replicas: readonly Replica[]): void;
  /** From `usage` events. `atMs` is run time. */
  addUsage(atMs: number, samples: readonly UsageSample[]): void;
  /** `atMs` is run time. */
  addFault(event: FaultEvent, atMs: number): void;
  /**
   * The value of a check's metric over the measured stages (or the stage its label names), or what is missing.
   * @param window only batches whose `toMs` lies in it (of any stage, unless a label names one); percentiles over the
   *   window's own histograms. It may reach back no further than the longest `stopWhen` window and 10 s more.
   */
  measure(check: Check, window?: TimeWindow): Measured;
  /** Everything merged that the selection names. */
  select(selection: Selection): Totals;
  /**
   * One a second, in order of time, from `fromSecond` (default 0) to the last one heard of; a silent second is all
   * zeros.
   */
  timeline(fromSecond?: number): readonly Second[];
  heatMap(): HeatMapView;
  workers(): ReadonlyMap<string, WorkerCounters>;
  /** What became of what was published, in the whole run; undefined: nothing was. */
  deliveries(): Deliveries | undefined;
  usage(): readonly UsageSeries[];
  /** Those that began, in order of time. */
  faults(): readonly FaultRecord[];
  /** First answer of each category, by category. */
  samples(): ReadonlyMap<string, ErrorSample>;
  /** Run time of stage `index` that telemetry was heard of, ms; less than planned when the run was cut. */
  observedMs(stage: number): number;
  /** Run time of the newest batch. */
  readonly lastMs: number;
}

export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Indices of stages; profile and operation by name, all of them when absent. */
export interface Selection {
  readonly stages: readonly number[];
  readonly profile?: string;
  readonly operation?: string;
}

export interface OperationCounts {
  offered: number;
  sent: number;
  succeeded: number;
  failed: number;
  dropped: number;
  lost: number;
  unsent: number;
}

export interface SessionCounts {
  sessionsOpened: number;
  sessionsClosed: number;
  sessionsLost: number;
  /** With a correct answer, each counted once in each stage. */
  sessionsAnswered: number;
  connectionsOpened: number;
  messagesSent: number;
  messagesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  lateAnswers: number;
}

/** What one replica did; see the protocol's `replicaSeries`. */
export interface ReplicaCounts {
  succeeded: number;
  failed: number;
  sessions: number;
  opened: number;
  moved: number;
  moves: number;
  unknown: number;
}

export interface ReplicaTotals {
  /** Id of one of the run's replicas, or what answers call it. */
  readonly name: string;
  readonly counts: Readonly<ReplicaCounts>;
  readonly latency: HdrCounts;
}

export interface Totals {
  readonly counts: Readonly<OperationCounts>;
  readonly errors: ReadonlyMap<string, number>;
  readonly histograms: Readonly<Record<HistogramName, HdrCounts>>;
  readonly sessions: Readonly<SessionCounts>;
  readonly connectFailures: ReadonlyMap<string, number>;
  readonly misbehaved: ReadonlyMap<string, number>;
  readonly connect: HdrCounts;
  /** By name; empty with an operation named, which replicas are not told apart by. */
  readonly replicas: readonly ReplicaTotals[];
  readonly streams: Readonly<StreamCounts>;
  /** From when a publication was due to when a subscriber read of it. */
  readonly delivery: HdrCounts;
  /** How far the clocks it was measured by may have been apart, at worst. */
  readonly clockErrorMs: number;
  /** From a consumer's return to when it had heard all that was published while it was away. */
  readonly catchUp: HdrCounts;
  /** Series merged; 0 means that nothing was ever said about this selection. */
  readonly series: number;
}

export interface Second extends Readonly<OperationCounts> {
  /** Seconds of run time at its start. */
  readonly t: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  readonly clients: number;
  readonly sessions: number;
  /** In this second. */
  readonly sessionsOpened: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Worst worker. */
  readonly lagP99Ms: number | undefined;
  readonly eventLoopUtilization: number | undefined;
  /** How many workers told of it. */
  readonly workers: number;
}

/** What one worker told, for the balance, for judging its health and for finding holes. */
export interface WorkerCounters {
  readonly byStage: ReadonlyMap<number, WorkerStage>;
  readonly sequences: SequenceSet;
  readonly final: Telemetry['final'];
  readonly lastMs: number;
}

export interface WorkerStage {
  readonly counts: OperationCounts;
  /** Sum of all error categories. */
  errors: number;
  /** Of the batches cut in this stage; undefined when only late answers were heard. */
  fromMs: number | undefined;
  toMs: number | undefined;
  /** Client-milliseconds: active clients at each batch's end times the batch's length. */
  clientMs: number;
  readonly health: HealthCounters;
}

/** One worker's health reports in one stage. */
export interface HealthCounters {
  reports: number;
  saturated: number;
  /** The worker's own words, the newest. */
  reason: string | undefined;
  readonly values: ReadonlyMap<HealthKey, ReadonlyMap<number, number>>;
}

/**
 * What is kept of each health report: a value rounded to 2 digits and how often it came, so that any limit can be
 * judged later.
 */
export type HealthKey =
  | 'cpu'
  | 'memoryBytes'
  | 'eventLoopUtilization'
  | 'processorWait'
  | 'processorWaitWhenLate'
  | 'eventLoopDelayP99Ms'
  | 'lagP99Ms'
  | 'throttledRatio'
  | 'openFilesShare'
  | 'localPortsShare';

export interface UsageSeries {
  readonly id: string;
  readonly role: UsageSample['role'];
  /** Thinned when there are many, the highest value of each pair kept, so that a spike survives. */
  readonly points: readonly ({ readonly atMs: number } & Omit<UsageSample, 'id' | 'role'>)[];
}

export type Measured =
  | { readonly kind: 'value'; readonly value: number; readonly samples: number }
  /** No data is never a pass. */
  | { readonly kind: 'no-data'; readonly why: string };

export type ThresholdResult = {
  readonly threshold: ThresholdPlan;
  readonly measured: Measured;
  readonly passed: boolean;
};

export interface LiveView {
  readonly tMs: number;
  readonly stage: number;
  readonly stageName: string;
  readonly clients: number;
  readonly sessions: number;
  readonly offeredPerSecond: number;
  readonly sentPerSecond: number;
  readonly succeededPerSecond: number;
  readonly failedTotal: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly remainingMs: number;
}

export type Judge = (plan: Plan, aggregate: Aggregate) => readonly ThresholdResult[];
