import { addOperations, noOperations } from '../../../analysis/facts/counts.js';
import {
  type HealthCounters,
  type HealthKey,
  mergeHealth,
  readingOf,
} from '../../../analysis/facts/health-counters.js';
import { clientsOf } from '../../../analysis/facts/run-facts.js';
import { measuredHealth } from '../../../analysis/judge/generator-health.js';
import type { BuildInput } from '../report-section.js';
import type { Worker } from './schema.js';

/** Every worker that the log or its telemetry names. */
export function buildWorkers({ plan, facts, aggregate }: BuildInput): Worker[] {
  const ids = new Set([...facts.workers.keys(), ...aggregate.workers().keys()]);
  return [...ids].sort().map((id): Worker => {
    const counters = aggregate.workers().get(id);
    const worker = facts.workers.get(id);
    const counts = noOperations();
    for (const stage of counters?.byStage.values() ?? []) addOperations(counts, stage.counts);
    const { offered, sent, succeeded, failed } = counts;
    const clock = worker?.clock;
    return {
      id,
      host: worker?.worker?.host ?? '',
      ...(worker?.place === undefined ? {} : { place: { ...worker.place } }),
      pid: worker?.worker?.pid ?? 0,
      threads: worker?.worker?.threads ?? 0,
      slots: clientsOf(worker?.slots ?? []),
      offered,
      sent,
      succeeded,
      failed,
      lostAtSeconds: worker?.lostAtMs === undefined ? null : worker.lostAtMs / 1000,
      ended: worker?.finished?.reason ?? counters?.final?.reason ?? null,
      batches: counters?.sequences.highest ?? 0,
      health: healthOf(counters === undefined ? [] : measuredHealth(plan, counters)),
      clock: clock === undefined ? null : { offsetMs: clock.offsetMs, errorMs: clock.errorMs },
    };
  });
}

const healthKeys = [
  'cpu',
  'memoryBytes',
  'eventLoopUtilization',
  'processorWait',
  'eventLoopDelayP99Ms',
  'lagP99Ms',
  'throttledRatio',
  'openFilesShare',
  'localPortsShare',
] as const satisfies readonly HealthKey[];

function healthOf(all: readonly HealthCounters[]): Worker['health'] {
  const health = mergeHealth(all);
  return {
    reports: health.reports,
    saturated: health.saturated,
    values: Object.fromEntries(
      healthKeys.flatMap((key) => {
        const reading = readingOf(health, key);
        return reading === undefined ? [] : [[key, { ...reading }]];
      }),
    ),
  };
}
