import type { Plan } from '../../scenarios/schema/plan.js';
import { allStages, plannedEndMs } from './facts/stages.js';
import { countByUs, withoutByUs } from './facts/target-errors.js';
import type { Aggregate } from './merge/aggregate.js';
import type { Second } from './merge/timeline.js';

/** How a run is doing at this moment, for the display of a terminal and for the API. */
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

export function liveView(
  aggregate: Pick<Aggregate, 'select' | 'timeline' | 'lastMs'>,
  plan: Plan,
  tMs: number,
): LiveView {
  const stage = plan.stages.findLast(({ startMs }) => startMs <= tMs) ?? plan.stages[0];
  const totals = aggregate.select({ stages: allStages(plan) });
  const second = completeSecond(aggregate.timeline(Math.max(0, Math.ceil(aggregate.lastMs / 1000) - 4)));
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
    remainingMs: Math.max(0, plannedEndMs(plan) - tMs),
  };
}

/** The newest second that the most workers have reported; reports of the very last one are usually still arriving. */
function completeSecond(seconds: readonly Second[]): Second | undefined {
  const most = Math.max(0, ...seconds.map(({ workers }) => workers));
  return seconds.findLast(({ workers }) => workers > 0 && workers === most);
}
