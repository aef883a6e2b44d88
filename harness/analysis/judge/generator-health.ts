/** Whether the generator, not the target, was the limit. */
import type { Plan } from '../../../scenarios/schema/plan.js';
import {
  beyondLimit,
  type HealthCounters,
  type HealthKey,
  mergeHealth,
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
   * Share of the measured reports that may lie beyond it: one slow second is chance, and timing varies more than load.
   */
  readonly tolerated: number;
  /** A `spin` profile keeps its core busy at all times; there only the lag counts. */
  readonly exemptSpin: boolean;
  readonly describe: (value: number, limit: number) => string;
  readonly remedy: string;
  /** A thread that waits for a processor exceeds this limit too; then that is the reason, with its own remedy. */
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
    describe: (value, limit) => `used ${percent(value)} of its event loop (limit ${percent(limit)})`,
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
      `sent its slowest 1 % of requests ${value.toFixed(0)} ms or more after they were due, ` +
      `with room to send them (limit ${limit} ms)`,
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
/** When threads wait for a processor for this share of the late time, the machine is the limit, not our code. */
const muchWaiting = 0.25;

/** Reasons with their remedies; empty when every worker kept up in every measured stage. */
export function judgeGenerator(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly string[] {
  const spins = plan.profiles.some(({ pacing }) => pacing === 'spin');
  return [...aggregate.workers()].sort(byKey).flatMap(([workerId, counters]) => {
    const health = mergeHealth(measuredHealth(plan, counters));
    const threads = facts.workers.get(workerId)?.worker?.threads ?? 1;
    const starved = starvation(health);
    let busy = false;
    const knowsOwnShare = measuredStages(plan).some((index) => (counters.byStage.get(index)?.own.elapsedMs ?? 0) > 0);
    return healthLimits.flatMap(({ key, limit, tolerated, exemptSpin, describe, remedy, timing }) => {
      // Of such a worker it is known what it added to the times, which is judged instead (`own-share.ts`).
      if (isLateness(key) && knowsOwnShare) return [];
      // A busy loop keeps its processor busy, so one reason is enough.
      if (key === 'cpu' && busy) return [];
      const beyond = beyondLimit(health, key, limit(threads));
      if (
        (spins && exemptSpin) ||
        beyond.reports < Math.min(fewestReports, health.reports) ||
        beyond.reports <= tolerated * health.reports
      )
        return [];
      busy ||= key === 'eventLoopUtilization';
      const because = timing === true && starved !== undefined ? starved : `: ${remedy}`;
      const often = `in ${beyond.reports} of ${plural(health.reports, 'measured report')}`;
      return [`worker ${workerId} ${describe(beyond.mean, limit(threads))} ${often}${because}`];
    });
  });
}

function isLateness(key: HealthKey): boolean {
  return key === 'lagP99Ms' || key === 'eventLoopDelayP99Ms';
}

/** The remedy when the machine is the limit: more workers beside this one would only wait as well. */
function starvation(health: HealthCounters): string | undefined {
  const waited = readingOf(health, 'processorWaitWhenLate')?.mean ?? 0;
  if (waited < muchWaiting) return undefined;
  return (
    `, and for ${percent(waited)} of that time one of its threads was ready to run and had no processor: ` +
    'the machine is at its limit. ' +
    'Stop what else runs there, put target or workers on other machines, or lower the load'
  );
}

export function measuredHealth(plan: Plan, counters: WorkerCounters): readonly HealthCounters[] {
  return measuredStages(plan).flatMap((index) => counters.byStage.get(index)?.health ?? []);
}

/** A worker that never reported its health cannot be trusted to have kept up. */
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
