import type { Plan } from '../../scenarios/schema/plan.js';
import { countByUs, withoutByUs } from './facts/target-errors.js';
import type { Aggregate, LiveView, Second } from './merge/contract.js';

/** The newest second that every worker of late has told of; the very newest is mostly still arriving. */
export function liveView(aggregate: Aggregate, plan: Plan, tMs: number): LiveView {
  const stage = plan.stages.findLast(({ startMs }) => startMs <= tMs) ?? plan.stages[0];
  const totals = aggregate.select({ stages: plan.stages.map(({ index }) => index) });
  const second = settled(aggregate.timeline(Math.max(0, Math.ceil(aggregate.lastMs / 1000) - 4)));
  return {
    tMs,
    stage: stage?.index ?? 0,
    stageName: stage?.name ?? '',
    clients: second?.clients ?? 0,
    sessions: second?.sessions ?? 0,
    offeredPerSecond: second?.offered ?? 0,
    sentPerSecond: second?.sent ?? 0,
    succeededPerSecond: second?.succeeded ?? 0,
    failedTotal: totals.counts.failed - countByUs(totals.errors),
    errors: Object.fromEntries(withoutByUs(totals.errors)),
    p50Ms: second?.p50Ms,
    p95Ms: second?.p95Ms,
    p99Ms: second?.p99Ms,
    remainingMs: Math.max(0, Math.max(0, ...plan.stages.map(({ startMs, durationMs }) => startMs + durationMs)) - tMs),
  };
}

function settled(seconds: readonly Second[]): Second | undefined {
  const most = Math.max(0, ...seconds.map(({ workers }) => workers));
  return seconds.findLast(({ workers }) => workers > 0 && workers === most);
}
