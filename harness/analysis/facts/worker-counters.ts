import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { OperationCounts, WorkerCounters, WorkerStage } from '../merge/contract.js';
import { addOperations, noOperations } from './counts.js';
import { addHealth, newHealthCounters, type WritableHealthCounters } from './health-counters.js';
import { SequenceSet } from './sequence-set.js';

interface OpenStage extends WorkerStage {
  readonly counts: OperationCounts;
  readonly health: WritableHealthCounters;
}
interface WritableWorkerCounters extends WorkerCounters {
  readonly byStage: Map<number, OpenStage>;
  final: Telemetry['final'];
  lastMs: number;
}

export class CountersByWorker {
  private readonly books = new Map<string, WritableWorkerCounters>();

  add(workerId: string, batch: Telemetry): void {
    const counters = this.counters(workerId);
    counters.sequences.add(batch.sequence);
    counters.lastMs = Math.max(counters.lastMs, batch.toMs);
    counters.final = batch.final ?? counters.final;
    for (const series of batch.series) {
      const stage = stageOf(counters, series.stage);
      addOperations(stage.counts, series);
      stage.errors += Object.values(series.errors).reduce((sum, count) => sum + count, 0);
    }
    const current = stageOf(counters, batch.stage);
    current.fromMs = Math.min(current.fromMs ?? batch.fromMs, batch.fromMs);
    current.toMs = Math.max(current.toMs ?? batch.toMs, batch.toMs);
    current.clientMs += batch.gauges.clients * (batch.toMs - batch.fromMs);
    if (batch.health !== undefined) addHealth(current.health, batch.health);
  }

  view(): ReadonlyMap<string, WorkerCounters> {
    return this.books;
  }

  private counters(workerId: string): WritableWorkerCounters {
    const known = this.books.get(workerId);
    if (known !== undefined) return known;
    const counters: WritableWorkerCounters = {
      byStage: new Map(),
      sequences: new SequenceSet(),
      final: undefined,
      lastMs: 0,
    };
    this.books.set(workerId, counters);
    return counters;
  }
}

function stageOf(counters: WritableWorkerCounters, index: number): OpenStage {
  const known = counters.byStage.get(index);
  if (known !== undefined) return known;
  const stage: OpenStage = {
    counts: noOperations(),
    errors: 0,
    fromMs: undefined,
    toMs: undefined,
    clientMs: 0,
    health: newHealthCounters(),
  };
  counters.byStage.set(index, stage);
  return stage;
}
