/** Whether the generator, not the target, was the limit (design: measurement 6). */
import type { Plan } from '../../../scenarios/schema/plan.js';
import {
  type HealthCounters,
  type HealthKey,
  mergeHealth,
  pastLimit,
  readingOf,
  timingLimits,
} from '../facts/health-counters.js';
import type { RunFacts } from '../facts/run-facts.js';
import { measuredStages } from '../facts/stages.js';
import type { WorkerCounters } from '../facts/worker-counters.js';
import { percent, plural } from '../format.js';
import { type Aggregate, observedSeconds } from '../merge/aggregate.js';
import { byKey } from '../order.js';

interface Limit {
  readonly key: HealthKey;
  readonly limit: (threads: number) => number;
  /**
   * Share of the measured reports that may lie past it: one slow second is weather, and timing has more of it than
   * load.
   */
  readonly tolerated: number;
  /** A `spin` profile owns its core and always shows it busy: there only the lag tells. */
  readonly exemptSpin: boolean;
  readonly describe: (value: number, limit: number) => string;
  readonly remedy: string;
  /** A thread that waits for a processor is past this, too: then that is the reason, and another remedy. */
  readonly timing?: true;
}

const moreWorkers = 'add workers (--workers N) or lower the rate';

const healthLimits: readonly Limit[] = [
  {
    key: 'eventLoopUtilization',
    limit: () => timingLimits.eventLoopUtilization,
    tolerated: 0.1,
    exemptSpin: true,
    remedy: moreWorkers,
    timing: true,
    describe: (value, limit) => `spent ${percent(value)} of its loop (limit ${percent(limit)})`,
  },
  {
    key: 'cpu',
    limit: (threads) => 0.9 * threads,
    tolerated: 0.1,
    exemptSpin: true,
    remedy: moreWorkers,
    describe: (value, limit) => `used ${value.toFixed(2)} CPU cores (limit ${limit.toFixed(1)})`,
  },
  {
    key: 'lagP99Ms',
    limit: () => timingLimits.lagP99Ms,
    tolerated: 0.25,
    exemptSpin: false,
    timing: true,
    remedy: `${moreWorkers}, or run it where nothing else needs the processor`,
    describe: (value, limit) =>
      `sent its slowest 1 % of requests ${value.toFixed(0)} ms or more after they were due, with room to send them (limit ${limit} ms)`,
  },
  {
    key: 'eventLoopDelayP99Ms',
    limit: () => timingLimits.eventLoopDelayP99Ms,
    tolerated: 0.25,
    exemptSpin: false,
    timing: true,
    remedy: `${moreWorkers}, or run it where nothing else needs the processor`,
    describe: (value, limit) => `had its event loop held up for ${value.toFixed(0)} ms (p99; limit ${limit} ms)`,
  },
  {
    key: 'throttledRatio',
    limit: () => 0.05,
    tolerated: 0.1,
    exemptSpin: false,
    remedy: 'raise the CPU limit of its container',
    describe: (value, limit) =>
      `was throttled by its cgroup for ${percent(value)} of the time (limit ${percent(limit)})`,
  },
  {
    key: 'openFilesShare',
    limit: () => 0.9,
    tolerated: 0.1,
    exemptSpin: false,
    remedy: 'raise its open file limit (ulimit -n) or add workers (--workers N)',
    describe: (value) => `had ${percent(value)} of its file descriptors open (limit 90 %)`,
  },
  {
    key: 'localPortsShare',
    limit: () => 0.9,
    tolerated: 0.1,
    exemptSpin: false,
    remedy:
      'widen net.ipv4.ip_local_port_range, reuse connections, or spread the load over more hosts or target addresses',
    describe: (value) => `had ${percent(value)} of its local ports in use (limit 90 %)`,
  },
];

/** A single report never breaks a limit, unless there is no other. */
const fewestReports = 2;
/** A worker that has run for this long has sent a report of its health. */
const enoughForAReportMs = 3000;
/** A machine, not a worker's code, is at its limit when threads waited for a processor for this share of late time. */
const muchWaiting = 0.25;

/** Reasons in words, each with its remedy; empty when every worker was fit in every measured stage. */
export function judgeGenerator(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly string[] {
  const spins = plan.profiles.some(({ pacing }) => pacing === 'spin');
  return [...aggregate.workers()].sort(byKey).flatMap(([workerId, counters]) => {
    const health = mergeHealth(measuredHealth(plan, counters));
    const threads = facts.workers.get(workerId)?.worker?.threads ?? 1;
    const starved = starvation(health);
    let busy = false;
    return healthLimits.flatMap(({ key, limit, tolerated, exemptSpin, describe, remedy, timing }) => {
      // A busy loop and a busy processor are the same fact.
      if (key === 'cpu' && busy) return [];
      const past = pastLimit(health, key, limit(threads));
      if (
        (spins && exemptSpin) ||
        past.reports < Math.min(fewestReports, health.reports) ||
        past.reports <= tolerated * health.reports
      )
        return [];
      busy ||= key === 'eventLoopUtilization';
      const because = timing === true && starved !== undefined ? starved : `: ${remedy}`;
      return [
        `worker ${workerId} ${describe(past.mean, limit(threads))} in ${past.reports} of ${plural(health.reports, 'measured report')}${because}`,
      ];
    });
  });
}

/** More workers beside it would only wait with it. */
function starvation(health: HealthCounters): string | undefined {
  const waited = readingOf(health, 'processorWaitWhenLate')?.mean ?? 0;
  if (waited < muchWaiting) return undefined;
  return (
    `, and for ${percent(waited)} of that time a thread of it was ready to run and had no processor: this machine has no more for it. ` +
    'Stop what else runs there, put target or workers on other machines, or lower the load'
  );
}

export function measuredHealth(plan: Plan, counters: WorkerCounters): readonly HealthCounters[] {
  return measuredStages(plan).flatMap((index) => counters.byStage.get(index)?.health ?? []);
}

/** Without a report of its health a worker cannot be trusted to have been fit. */
export function judgeSilence(plan: Plan, aggregate: Pick<Aggregate, 'workers' | 'observedMs'>): readonly string[] {
  const measured = measuredStages(plan);
  if (observedSeconds(aggregate, measured) * 1000 < enoughForAReportMs) return [];
  return [...aggregate.workers()]
    .filter(
      ([, counters]) =>
        mergeHealth(measuredHealth(plan, counters)).reports === 0 && counters.lastMs >= enoughForAReportMs,
    )
    .filter(([, { byStage }]) => measured.some((index) => byStage.get(index)?.fromMs !== undefined))
    .map(
      ([workerId]) =>
        `worker ${workerId} never reported its own health in a measured stage, so nothing shows that it kept up`,
    );
}
