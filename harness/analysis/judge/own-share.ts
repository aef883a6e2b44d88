/**
 * How much of the reported latencies is the generator's own: when that makes the run invalid, where it must be told
 * beside a number, who took the time, and what to do.
 */
import { cellLowest } from '../../../client-sim/protocol/histogram-codec.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { type HealthCounters, mergeHealth, readingOf } from '../facts/health-counters.js';
import { isOurs, mergeOwnTime, type OwnTimeFacts } from '../facts/own-time.js';
import type { RunFacts } from '../facts/run-facts.js';
import { measuredStages } from '../facts/stages.js';
import type { WorkerCounters } from '../facts/worker-counters.js';
import { formatMs, listed, percent, seconds } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';
import { byKey } from '../order.js';
import { type Interval, intervalOf, isShareKnown, isWide } from '../statistics/interval.js';
import { judgeThresholds, type ThresholdResult } from './thresholds.js';

type Measured = Pick<Aggregate, 'select' | 'workers'>;

/** The quantiles that are shown first, each with the share of the operations that lie beyond it. */
const headline = [
  ['p50', 0.5],
  ['p95', 0.05],
  ['p99', 0.01],
  ['max', 0],
] as const;

/** With fewer operations beyond it, a quantile is chance. */
const fewBeyond = 10;

/** Why the latencies cannot be trusted; empty when they can, or when the own share is not known. */
export function judgeOwnShare(
  plan: Plan,
  aggregate: Measured,
  facts: RunFacts,
  thresholds: readonly ThresholdResult[],
): readonly string[] {
  const why = (at: string): string => blame(plan, aggregate, facts, at);
  const times = [
    ...thresholds.flatMap(({ threshold: { check }, measurement, undecided }) =>
      undecided && measurement.kind === 'value' && measurement.floor !== undefined
        ? [
            `the generator decides whether ${check.text} holds: it was ${formatMs(measurement.value)}, ` +
              `and ${formatMs(measurement.floor)} without what the generator itself added${why('p95')}`,
          ]
        : [],
    ),
    // Where thresholds ask about the latency, they decide: what holds as measured holds.
    ...(thresholds.some(isDecidedTime)
      ? []
      : firstOf(ownQuantiles(plan, aggregate, why), ownWorkers(plan, aggregate, facts))),
  ];
  // Both have the same cause, which is said once.
  return [...times, ...movedArrivals(plan, aggregate, times.length > 0 ? undefined : facts)];
}

/** The same time need not be complained of twice. */
function firstOf(quantiles: readonly string[], workers: readonly string[]): readonly string[] {
  return quantiles.length > 0 ? quantiles : workers;
}

/** With a larger share of its operations in another tenth of a second, a worker made another load than planned. */
const mostMoved = 0.1;
const fewMoved = 10;

/**
 * Whether operations left when the plan had them, not only how many did.
 * @param facts undefined: without the cause
 */
function movedArrivals(plan: Plan, aggregate: Measured, facts: RunFacts | undefined): readonly string[] {
  return [...aggregate.workers()].sort(byKey).flatMap(([workerId, counters]) => {
    const { sent, moved, plannedGaps, sentGaps } = ownTimeOf(plan, counters);
    if (moved <= fewMoved || moved <= mostMoved * sent) return [];
    return [
      `the arrivals of worker ${workerId} are not those of the plan: ${percent(moved / sent)} of its operations ` +
        'left in another tenth of a second, and the longest gap between two was ' +
        `${formatMs(longestOf(sentGaps))} where the plan has ${formatMs(longestOf(plannedGaps))}` +
        (facts === undefined ? '' : blameWorker(plan, workerId, counters, facts, 'p95')),
    ];
  });
}

function longestOf(gaps: OwnTimeFacts['sentGaps']): number {
  return cellLowest(Math.max(0, ...gaps.keys())) / 1000;
}

function isDecidedTime({ measurement, undecided }: ThresholdResult): boolean {
  return measurement.kind === 'value' && measurement.floor !== undefined && !undecided;
}

function ownQuantiles(plan: Plan, aggregate: Measured, why: (at: string) => string): readonly string[] {
  const { latency, latencyFloor } = aggregate.select({ stages: measuredStages(plan) }).histograms;
  const ours = headline.flatMap(([name, beyond]) => {
    if (latency.total * beyond < fewBeyond) return [];
    const interval = intervalOf(latency, latencyFloor, name);
    return interval !== undefined && isOurs(interval.high, interval.low) ? [{ name, interval }] : [];
  });
  const [first] = ours;
  if (first === undefined) return [];
  return [
    `more than half of the latency is the generator's own: ` +
      `${listed(ours.map(({ name, interval }) => `${name} ${formatMs(interval.high)}, ${withoutOurs(interval)}`))}` +
      why(first.name),
  ];
}

/** In more of its seconds than this, a worker must not be the larger part of what it measured. */
const mostOwnSeconds = 0.1;

/** One of several workers, or some seconds, may be spoilt without moving the quantiles of all. */
function ownWorkers(plan: Plan, aggregate: Measured, facts: RunFacts): readonly string[] {
  return [...aggregate.workers()].sort(byKey).flatMap(([workerId, counters]) => {
    const own = ownTimeOf(plan, counters);
    if (own.operations < fewBeyond) return [];
    const mean = own.latencySumMs / own.operations;
    const floor = own.floorSumMs / own.operations;
    const often = own.ownSeconds > 1 && own.ownSeconds > mostOwnSeconds * own.seconds;
    if (!isOurs(mean, floor) && !often) return [];
    const where = often
      ? `in ${own.ownSeconds} of ${own.seconds} measured seconds`
      : `a mean latency of ${formatMs(mean)}, ${formatMs(floor)} without it`;
    return [
      `more than half of what worker ${workerId} measured is its own, ${where}` +
        blameWorker(plan, workerId, counters, facts, often ? 'p95' : 'p50'),
    ];
  });
}

/** A note where a headline quantile has a wide interval, or where its interval is not known. */
export function ownShareNotes(plan: Plan, aggregate: Aggregate, facts: RunFacts): readonly string[] {
  const { latency, latencyFloor } = aggregate.select({ stages: measuredStages(plan) }).histograms;
  if (latency.total === 0) return [];
  if (!isShareKnown(latency, latencyFloor)) return unknownNotes(plan, latencyFloor.total > 0);
  const wide = headline.flatMap(([name]) => {
    const interval = intervalOf(latency, latencyFloor, name);
    return interval !== undefined && isWide(interval) ? [{ name, interval }] : [];
  });
  const [first] = wide;
  if (first === undefined) return [];
  // What made the run invalid has been said with its cause.
  const isSaid = judgeOwnShare(plan, aggregate, facts, judgeThresholds(plan, aggregate)).length > 0;
  return [
    `the generator itself is part of ${listed(wide.map(({ name }) => name))}: ` +
      `${wide.map(({ name, interval }) => `${name} lies between ${range(interval)}`).join(', ')}` +
      (isSaid ? '' : blame(plan, aggregate, facts, first.name)),
  ];
}

/** Logs of older versions say nothing of it, and need no note. */
function unknownNotes(plan: Plan, isPartlyKnown: boolean): readonly string[] {
  const bySdk = plan.profiles.filter(({ transport }) => transport === 'sdk').map(({ name }) => name);
  if (bySdk.length > 0)
    return [
      `how much of the latency of ${bySdk.length === 1 ? 'profile' : 'profiles'} ${listed(bySdk)} is the generator's ` +
        'own is not known: the work of an SDK cannot be told from it',
    ];
  return isPartlyKnown ? ["how much of the latency is the generator's own is not known of all workers"] : [];
}

function withoutOurs({ low }: Interval): string {
  return `${formatMs(low)} without it`;
}

function range({ low, high }: Interval): string {
  return `${formatMs(low)} (without it) and ${formatMs(high)} (as measured)`;
}

/** Who took the time of the worker that added most. @param at the lowest statistic that is affected */
function blame(plan: Plan, aggregate: Measured, facts: RunFacts, at: string): string {
  const [worst] = [...aggregate.workers()]
    .sort(byKey)
    .map(([id, counters]) => ({ id, counters, own: ownTimeOf(plan, counters) }))
    .sort((a, b) => addedBy(b.own) - addedBy(a.own));
  return worst === undefined ? '' : blameWorker(plan, worst.id, worst.counters, facts, at);
}

function addedBy({ latencySumMs, floorSumMs }: OwnTimeFacts): number {
  return latencySumMs - floorSumMs;
}

/** A cause that fills a smaller part of the time than this part of what lies beyond a quantile does not explain it. */
const leastCause = 0.25;
/** A worker that uses this share of its processors itself has too few of them. */
const muchOfItsCores = 0.7;
/** A smaller share of throttled time is chance. */
const throttling = 0.01;
/** What pacing in batches of 1 ms can add. */
const batchMs = 3;

function blameWorker(plan: Plan, id: string, counters: WorkerCounters, facts: RunFacts, at: string): string {
  const own = ownTimeOf(plan, counters);
  const health = mergeHealth(measuredStages(plan).flatMap((index) => counters.byStage.get(index)?.health ?? []));
  const { elapsedMs, stoppedMs, waitedMs, longestMs, longestAtMs, scheduleKnown } = own;
  if (elapsedMs === 0) return '';
  const beyond = headline.find(([name]) => name === at)?.[1] ?? 0;
  const least = leastCause * beyond * elapsedMs;
  const longest = `at most ${formatMs(longestMs)}, in the second before ${seconds(longestAtMs)}`;
  const causes = [
    ...(stoppedMs > Math.max(least, longestMs / 2) ? [stoppedText(id, own, health)] : []),
    ...(waitedMs > Math.max(least, longestMs / 4) ? [waitedText(id, own, health)] : []),
  ];
  if (causes.length > 0) return ` (${longest}). ${causes.join('. ')}`;
  const paced = plan.profiles.some(({ pacing }) => pacing === 'batch' || pacing === 'auto');
  if (longestMs <= batchMs && paced)
    return `. Worker ${id} sends what is due in batches, 1 ms apart: use pacing: metronome`;
  const threads = facts.workers.get(id)?.worker?.threads ?? 1;
  const unknown = scheduleKnown ? '' : ' (or waited for a processor, which its kernel does not count)';
  return (
    ` (${longest}). The event loop of worker ${id} was busy with its own work${unknown}: ` +
    `add workers (--workers N)${threads > 1 ? '' : ' or threads'}, or lower the load`
  );
}

function stoppedText(id: string, { stoppedMs }: OwnTimeFacts, health: HealthCounters): string {
  const throttled = readingOf(health, 'throttledRatio')?.mean ?? 0;
  return throttled > throttling
    ? `The CPU quota of worker ${id} stopped it for ${formatMs(stoppedMs)} in all: raise the CPU limit of its container`
    : `Worker ${id} was stopped for ${formatMs(stoppedMs)} in all: something froze the process or its machine ` +
        '(a signal, a suspended or overcommitted virtual machine). Keep it running, and run again';
}

function waitedText(id: string, { waitedMs, elapsedMs }: OwnTimeFacts, health: HealthCounters): string {
  const cores = readingOf(health, 'cores')?.worst ?? 0;
  const used = readingOf(health, 'cpu')?.mean ?? 0;
  const waited = `Worker ${id} was ready to run but had no processor for ${percent(waitedMs / elapsedMs)} of the time`;
  return cores > 0 && used > muchOfItsCores * cores
    ? `${waited}: it has too few processors (${cores}) for what it does. Give it more, use fewer threads, or add ` +
        'workers on other machines'
    : `${waited}: another program took it. Stop what else runs there, or put target or workers on other machines`;
}

export function ownTimeOf(plan: Plan, counters: WorkerCounters): OwnTimeFacts {
  return mergeOwnTime(measuredStages(plan).flatMap((index) => counters.byStage.get(index)?.own ?? []));
}
