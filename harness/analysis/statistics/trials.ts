import type { Plan } from '../../../scenarios/schema/plan.js';
import { targetErrors } from '../facts/target-errors.js';
import { type Aggregate, observedSeconds } from '../merge/aggregate.js';
import { summarise } from './latency-summary.js';
import { type MedianInterval, medianInterval } from './median-interval.js';

const trialMetrics = [
  'throughputPerSecond',
  'errorRate',
  'latencyP50Ms',
  'latencyP95Ms',
  'latencyP99Ms',
  'serviceP95Ms',
] as const;
type TrialMetric = (typeof trialMetrics)[number];

interface TrialValues {
  readonly trial: number;
  /** Without the metrics that the trial has no data of. */
  readonly values: Readonly<Partial<Record<TrialMetric, number>>>;
}
interface Trials {
  readonly trials: readonly TrialValues[];
  readonly intervals: Readonly<Partial<Record<TrialMetric, MedianInterval>>>;
}

/** @returns undefined for a run of one trial, which has no interval */
export function trialsOf(plan: Plan, aggregate: Aggregate): Trials | undefined {
  if (plan.trials < 2) return undefined;
  const trials = Array.from({ length: plan.trials }, (_, at) => measureTrial(plan, aggregate, at + 1));
  const intervals: Partial<Record<TrialMetric, MedianInterval>> = {};
  for (const metric of trialMetrics) {
    const interval = medianInterval(trials.flatMap(({ values }) => values[metric] ?? []));
    if (interval !== undefined) intervals[metric] = interval;
  }
  return { trials, intervals };
}

function measureTrial(plan: Plan, aggregate: Aggregate, trial: number): TrialValues {
  const stages = plan.stages.filter((stage) => stage.measured && stage.trial === trial).map(({ index }) => index);
  const totals = aggregate.select({ stages });
  const { counts } = totals;
  const seconds = observedSeconds(aggregate, stages);
  const { ended, failed } = targetErrors(counts, totals.errors);
  const latency = summarise(totals.histograms.latency);
  const candidates: Record<TrialMetric, number | null> = {
    throughputPerSecond: seconds > 0 ? counts.succeeded / seconds : null,
    errorRate: ended > 0 ? failed / ended : null,
    latencyP50Ms: latency.p50,
    latencyP95Ms: latency.p95,
    latencyP99Ms: latency.p99,
    serviceP95Ms: summarise(totals.histograms.service).p95,
  };
  return { trial, values: Object.fromEntries(Object.entries(candidates).filter(([, value]) => value !== null)) };
}
