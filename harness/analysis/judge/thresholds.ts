import type { Check, Comparison, Plan, ThresholdPlan } from '../../../scenarios/schema/plan.js';
import type { Aggregate } from '../merge/aggregate.js';
import { type Measurement, measure } from './measure.js';

export interface ThresholdResult {
  readonly threshold: ThresholdPlan;
  readonly measurement: Measurement;
  readonly passed: boolean;
  /**
   * It holds with or without what the generator itself added, but not both: the run cannot tell. Then it has not
   * passed, and the run is invalid.
   */
  readonly undecided: boolean;
}

/** Every threshold of the plan, in its order. A threshold that could not be measured has not passed. */
export function judgeThresholds(plan: Plan, aggregate: Aggregate): readonly ThresholdResult[] {
  return plan.thresholds.map((threshold) => {
    const { check } = threshold;
    const measurement = measure(check, plan, aggregate);
    if (measurement.kind === 'no-data') return { threshold, measurement, passed: false, undecided: false };
    const asMeasured = holds(check, measurement.value);
    const withoutOurs = holds(check, measurement.floor ?? measurement.value);
    return { threshold, measurement, passed: asMeasured && withoutOurs, undecided: asMeasured !== withoutOurs };
  });
}

/** Whether the check holds; for a stop rule this means that the run is to stop. */
export function holds(check: Pick<Check, 'comparison' | 'value'>, actual: number): boolean {
  return comparisons[check.comparison](actual, check.value);
}

const comparisons = {
  '<': (actual, wanted) => actual < wanted,
  '<=': (actual, wanted) => actual <= wanted,
  '>': (actual, wanted) => actual > wanted,
  '>=': (actual, wanted) => actual >= wanted,
  '==': (actual, wanted) => actual === wanted,
  '!=': (actual, wanted) => actual !== wanted,
} satisfies Record<Comparison, (actual: number, wanted: number) => boolean>;
