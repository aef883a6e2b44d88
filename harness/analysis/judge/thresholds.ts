import type { Check, Comparison, Plan, ThresholdPlan } from '../../../scenarios/schema/plan.js';
import type { Aggregate } from '../merge/aggregate.js';
import { type Measurement, measure } from './measure.js';

export interface ThresholdResult {
  readonly threshold: ThresholdPlan;
  readonly measurement: Measurement;
  readonly passed: boolean;
}

/** Every threshold of the plan, in its order. A threshold that could not be measured has not passed. */
export function judgeThresholds(plan: Plan, aggregate: Aggregate): readonly ThresholdResult[] {
  return plan.thresholds.map((threshold) => {
    const measurement = measure(threshold.check, plan, aggregate);
    const passed = measurement.kind === 'value' && holds(threshold.check, measurement.value);
    return { threshold, measurement, passed };
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
