import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { addOperations, noOperations, type OperationCounts } from './counts.js';
import { addHealth, type HealthCounters, newHealthCounters } from './health-counters.js';
import {
  addOwnInterval,
  addOwnSecond,
  noOwnTime,
  type OwnGaps,
  type OwnTimeFacts,
  type SeriesCells,
} from './own-time.js';

/** What one worker reported, for balancing its counts, judging its health and finding missing batches. */
export interface WorkerCounters {
  readonly byStage: ReadonlyMap<number, WorkerStage>;
  readonly sequences: Pick<SequenceSet, 'highest' | 'missing'>;
  readonly final: Telemetry['final'];
  /** Run time of its newest batch. */
  readonly lastMs: number;
}

interface WorkerStage {
  readonly counts: Readonly<OperationCounts>;
  /** Sum of all error categories. */
  readonly errors: number;
  /** Span of the batches that were cut in this stage; undefined when only late answers of it were reported. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Client-milliseconds: active clients at each batch's end times the batch's length. */
  readonly clientMs: number;
  readonly health: HealthCounters;
  readonly own: OwnTimeFacts;
}

export class CountersByWorker {
  private readonly counters = new Map<string, OneWorker>();

  /** @param series and `gaps` of the batch, with their histograms decoded */
  add(workerId: string, batch: Telemetry, series: readonly SeriesCells[], gaps: OwnGaps | undefined): void {
    const known = this.counters.get(workerId) ?? new OneWorker();
    this.counters.set(workerId, known);
    known.add(batch, series, gaps);
  }

  view(): ReadonlyMap<string, WorkerCounters> {
    return this.counters;
  }
}

type OpenStage = { -readonly [Key in keyof WorkerStage]: WorkerStage[Key] } & { readonly counts: OperationCounts };

class OneWorker implements WorkerCounters {
  readonly byStage = new Map<number, OpenStage>();
  readonly sequences = new SequenceSet();
  final: Telemetry['final'];
  lastMs = 0;

  add(batch: Telemetry, decoded: readonly SeriesCells[], gaps: OwnGaps | undefined): void {
    this.sequences.add(batch.sequence);
    this.lastMs = Math.max(this.lastMs, batch.toMs);
    this.final = batch.final ?? this.final;
    const ofStage = new Map<number, SeriesCells[]>();
    for (const one of decoded) {
      const { series } = one;
      const stage = this.stage(series.stage);
      const others = ofStage.get(series.stage);
      if (others === undefined) ofStage.set(series.stage, [one]);
      else others.push(one);
      addOperations(stage.counts, series);
      for (const category in series.errors) stage.errors += series.errors[category] ?? 0;
    }
    for (const [stage, all] of ofStage) addOwnSecond(this.stage(stage).own, all);
    const current = this.stage(batch.stage);
    current.fromMs = Math.min(current.fromMs ?? batch.fromMs, batch.fromMs);
    current.toMs = Math.max(current.toMs ?? batch.toMs, batch.toMs);
    current.clientMs += batch.gauges.clients * (batch.toMs - batch.fromMs);
    if (batch.health !== undefined) addHealth(current.health, batch.health);
    if (batch.own !== undefined) addOwnInterval(current.own, batch.own, gaps, batch.toMs);
  }

  private stage(index: number): OpenStage {
    const known = this.byStage.get(index);
    if (known !== undefined) return known;
    const stage: OpenStage = {
      counts: noOperations(),
      errors: 0,
      fromMs: undefined,
      toMs: undefined,
      clientMs: 0,
      health: newHealthCounters(),
      own: noOwnTime(),
    };
    this.byStage.set(index, stage);
    return stage;
  }
}

/** Batch numbers seen from one worker. They start at 1 and come mostly in order. */
export class SequenceSet {
  /** All numbers up to this one were seen. */
  private through = 0;
  private readonly ahead = new Set<number>();

  /** @returns false for a number that was seen before */
  add(sequence: number): boolean {
    if (sequence <= this.through || this.ahead.has(sequence)) return false;
    this.ahead.add(sequence);
    while (this.ahead.delete(this.through + 1)) this.through += 1;
    return true;
  }

  get highest(): number {
    return this.ahead.size === 0 ? this.through : Math.max(...this.ahead);
  }

  /** How many numbers below `highest` were not seen. */
  get missing(): number {
    return this.highest - this.through - this.ahead.size;
  }
}
