import { expect, test } from '@jest/globals';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { testPlan } from '../../../tests/support/controller/test-plan.js';
import { batchOf } from '../../../tests/support/controller/wire-worker.js';
import { RunAggregate } from '../../analysis/merge/aggregate.js';
import { earlyStop, measuredMs } from './early-stop.js';

const errors = { text: 'errors.rate < 1%', metric: 'errors.rate', labels: {}, comparison: '<' as const, value: 0.01 };
const manyErrors = {
  text: 'errors.rate > 50%',
  metric: 'errors.rate',
  labels: {},
  comparison: '>' as const,
  value: 0.5,
};

/** One batch a second of 10 operations, `failed[i]` of them failed. */
function after(plan: Plan, failed: readonly number[]): RunAggregate {
  const aggregate = new RunAggregate(plan);
  for (const [index, count] of failed.entries()) {
    aggregate.add(
      'w1',
      batchOf({
        runId: 'r',
        sequence: index + 1,
        fromMs: index * 1000,
        toMs: (index + 1) * 1000,
        operations: 10,
        failed: count,
      }),
    );
  }
  return aggregate;
}

test('a threshold with abortOnFail applies from its `after` on, and not before there is data', () => {
  const plan = testPlan([10], { thresholds: [{ check: errors, abortOnFail: true, afterMs: 3000 }] });
  expect(earlyStop(plan, after(plan, []), 5000)).toBeUndefined();
  expect(earlyStop(plan, after(plan, [5, 5]), 2000)).toBeUndefined();
  expect(earlyStop(plan, after(plan, [5, 5, 5]), 3000)).toMatchObject({
    reason: 'threshold',
    check: errors.text,
    actual: 0.5,
  });
  expect(earlyStop(plan, after(plan, [0, 0, 0]), 3000)).toBeUndefined();
});

test('a threshold without abortOnFail never stops a run', () => {
  const plan = testPlan([10], { thresholds: [{ check: errors, abortOnFail: false, afterMs: 0 }] });
  expect(earlyStop(plan, after(plan, [10, 10]), 2000)).toBeUndefined();
});

test('a stop rule applies to its window only, and not before a whole window has passed', () => {
  const plan = testPlan([10], { stopWhen: [{ check: manyErrors, windowMs: 2000 }] });
  expect(earlyStop(plan, after(plan, [10]), 1000)).toBeUndefined();
  expect(earlyStop(plan, after(plan, [0, 0, 0, 10, 10]), 5000)).toMatchObject({ reason: 'stop-rule', actual: 1 });
  expect(earlyStop(plan, after(plan, [10, 10, 0, 0, 0]), 5000)).toBeUndefined();
});

test('measured time leaves out stages that are not measured', () => {
  const plan = testPlan([2, 3, 5]);
  const stages = plan.stages.map((stage) => ({ ...stage, measured: stage.index !== 0 }));
  expect([0, 1000, 2000, 4000, 20_000].map((tMs) => measuredMs({ ...plan, stages }, tMs))).toEqual([
    0, 0, 0, 2000, 8000,
  ]);
});
