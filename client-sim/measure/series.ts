import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { histogramNames } from '../protocol/telemetry.js';

/**
 * Counters of one series, in the order they travel. `offered = sent + dropped + unsent`, `sent = succeeded + failed +
 * lost`.
 */
export const COUNTERS = ['offered', 'sent', 'succeeded', 'failed', 'dropped', 'lost', 'unsent'] as const;
export type CounterName = (typeof COUNTERS)[number];

// Plain constants and not `COUNTERS.indexOf`, for V8; a test holds them equal.
export const OFFERED = 0;
export const SENT = 1;
export const SUCCEEDED = 2;
export const FAILED = 3;
export const DROPPED = 4;
export const LOST = 5;
export const UNSENT = 6;

/** Counters of one replica, in the order of `REPLICA_COUNTS`. */
export const REPLICA_SUCCEEDED = 0;
export const REPLICA_FAILED = 1;
export const REPLICA_SESSIONS = 2;
export const REPLICA_OPENED = 3;
export const REPLICA_MOVED = 4;
export const REPLICA_MOVES = 5;
export const REPLICA_UNKNOWN_SESSIONS = 6;

/** Histograms of one series, in the order of `histogramNames`; `FLOOR` is a part of both floors. */
export const LATENCY = 0;
export const SERVICE = 1;
export const LAG = 2;
export const FAILURE = 3;
export const LATENCY_FLOOR = 4;
export const SERVICE_FLOOR = 5;
/** Of operations that did not wait for room, so that most operations are recorded once and not twice. */
export const FLOOR = histogramNames.length;
export const HISTOGRAMS_PER_SERIES = histogramNames.length + 1;

/** Histograms of one (stage, profile). */
export const CONNECT = 0;
/** From the due time of a publication until a subscriber has received it. */
export const DELIVERY = 1;
/** From a subscriber's return until it has received everything that was published while it was away. */
export const CATCH_UP = 2;
export const HISTOGRAMS_PER_GROUP = 3;

/** Histograms of one (stage, profile, replica). */
export const REPLICA_LATENCY = 0;
export const REPLICA_FLOOR = 1;
export const HISTOGRAMS_PER_REPLICA = 2;

/**
 * Numbers for (stage, profile, operation), so that the hot path indexes arrays instead of hashing names. Engine threads
 * and the main thread derive them from the same plan.
 */
export class SeriesLayout {
  readonly stages: number;
  readonly profiles: number;
  readonly operations: number;

  constructor(plan: Pick<WorkerPlan, 'stages' | 'profiles'>) {
    this.stages = plan.stages.length;
    this.profiles = plan.profiles.length;
    this.operations = Math.max(1, ...plan.profiles.map((profile) => profile.operations.length));
  }

  /** Number of series. */
  get size(): number {
    return this.stages * this.profiles * this.operations;
  }

  /** First series of a (stage, profile); add the operation's index. */
  base(stage: number, profile: number): number {
    return this.group(stage, profile) * this.operations;
  }

  /** Number of a (stage, profile), for what sessions and connections count. */
  group(stage: number, profile: number): number {
    return stage * this.profiles + profile;
  }

  /** @param kind CONNECT, DELIVERY or CATCH_UP */
  groupHistogram(group: number, kind: number): number {
    return this.size * HISTOGRAMS_PER_SERIES + kind * this.groups + group;
  }

  /** Number of (stage, profile) pairs. */
  get groups(): number {
    return this.stages * this.profiles;
  }

  private get firstOfReplicas(): number {
    return this.groupHistogram(0, HISTOGRAMS_PER_GROUP);
  }

  /**
   * A histogram of one replica.
   * @param replica from 1, see `ReplicaNames`
   * @param kind REPLICA_LATENCY or REPLICA_FLOOR
   */
  replicaHistogram(group: number, replica: number, kind: number): number {
    return this.firstOfReplicas + ((replica - 1) * HISTOGRAMS_PER_REPLICA + kind) * this.groups + group;
  }

  /** @returns undefined for a histogram of another kind */
  replicaPlace(
    histogram: number,
  ): { readonly group: number; readonly replica: number; readonly kind: number } | undefined {
    const at = histogram - this.firstOfReplicas;
    if (at < 0) return undefined;
    const place = Math.floor(at / this.groups);
    return {
      group: at % this.groups,
      replica: 1 + Math.floor(place / HISTOGRAMS_PER_REPLICA),
      kind: place % HISTOGRAMS_PER_REPLICA,
    };
  }

  /** The (stage, profile) of a series. */
  groupOf(series: number): number {
    return Math.floor(series / this.operations);
  }

  /** @throws RangeError for a number outside the plan */
  place(series: number): { readonly stage: number; readonly profile: number; readonly operation: number } {
    if (series < 0 || series >= this.size) throw new RangeError(`no series ${series} in a plan of ${this.size}`);
    return { ...this.groupPlace(this.groupOf(series)), operation: series % this.operations };
  }

  groupPlace(group: number): { readonly stage: number; readonly profile: number } {
    return { stage: Math.floor(group / this.profiles), profile: group % this.profiles };
  }
}
