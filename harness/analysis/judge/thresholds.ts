import type { Check, Comparison } from '../../../scenarios/schema/plan.js';
import type { Judge } from '../merge/contract.js';

/** Every threshold of the plan, in its order. What could not be measured has not passed. */
export const judgeThresholds: Judge = (plan, aggregate) =>
  plan.thresholds.map((threshold) => {
    const measured = aggregate.measure(threshold.check);
    return { threshold, measured, passed: measured.kind === 'value' && holds(threshold.check, measured.value) };
  });

/** Also for stop rules, whose check says when to stop. */
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
