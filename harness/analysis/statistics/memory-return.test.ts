import { expect, test } from '@jest/globals';
import { samplePlan, sampleStage } from '../../../tests/support/analysis/sample-plan.js';
import { sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { RunAggregate } from '../merge/aggregate.js';
import { type MemoryReturn, memoryReturn } from './session-memory.js';

const rest = {
  ...sampleStage({ index: 2, name: 'rest', startMs: 20_000, durationMs: 20_000 }),
  segments: [{ startMs: 20_000, endMs: 40_000, from: 0, to: 0 }],
};
const stages = [
  sampleStage({ index: 0, name: 'before', startMs: 0, durationMs: 10_000 }),
  sampleStage({ index: 1, name: 'load', startMs: 10_000, durationMs: 10_000 }),
  rest,
];
const plan = samplePlan({ stages });

/** Samples of a target whose replicas hold so many bytes at the end of second `t`. */
function returned(stage: number, bytes: (t: number) => number, seconds = 40, replicas = 2): MemoryReturn | undefined {
  const aggregate = new RunAggregate(plan);
  for (const { workerId, batch } of sampleTelemetry(plan, { workers: 1 })) aggregate.add(workerId, batch);
  for (let t = 1; t <= seconds; t++)
    aggregate.addUsage(
      t * 1000,
      Array.from({ length: replicas }, (_, at) => ({
        id: `replica-${at}`,
        role: 'target' as const,
        cpu: 0,
        memoryBytes: bytes(t),
      })),
    );
  return memoryReturn(plan, aggregate, stages[stage] as (typeof stages)[number]);
}

function grows(t: number): number {
  return Math.min(t, 20) * 1e6;
}

test('memory that is kept is not given back', () => {
  expect(returned(1, grows)).toEqual({
    restSeconds: 20,
    beforeBytes: 16e6,
    endBytes: 36e6,
    afterBytes: 40e6,
    share: 0,
  });
});

test('memory that falls in the rest is given back, and a single peak does not hide it', () => {
  const found = returned(1, (t) => {
    if (t === 20) return 9e9;
    if (t <= 10) return 10e6;
    return t < 25 ? 30e6 : 15e6;
  });
  expect(found).toEqual({ restSeconds: 20, beforeBytes: 20e6, endBytes: 60e6, afterBytes: 30e6, share: 0.75 });
});

test('has no share where no memory was added', () => {
  expect(returned(1, () => 10e6)?.share).toBeUndefined();
});

test('is undefined without a rest after the stage, or without samples of it', () => {
  expect(returned(0, grows)).toBeUndefined();
  expect(returned(2, grows)).toBeUndefined();
  expect(returned(1, grows, 20)).toBeUndefined();
  expect(returned(1, grows, 0)).toBeUndefined();
});
