import { describe, expect, test } from '@jest/globals';
import { SequenceSet } from '../facts/sequence-set.js';
import { bootstrapMedian } from '../statistics/bootstrap.js';
import { samplePlan, sampleStage } from '../testing/sample-plan.js';
import { plannedLoad } from './planned-load.js';

const ramp = { startMs: 0, endMs: 10_000, from: 0, to: 1 };
const whole = { index: 0, name: 's', startMs: 0, durationMs: 10_000 };

describe('planned load of 4 clients at 25/s over 10 s', () => {
  test.each([
    ['full', sampleStage(whole), Infinity, 1000],
    ['cut in the middle', sampleStage(whole), 5000, 500],
    ['a ramp of the rate', sampleStage({ ...whole, segments: [ramp] }), Infinity, 500],
    ['a ramp of the rate, cut', sampleStage({ ...whole, segments: [ramp] }), 5000, 125],
    // Clients 0, 1, 2, 3 work from 0, 2.5, 5 and 7.5 s: 25 client-seconds.
    ['a ramp of clients', sampleStage({ ...whole, scale: 'clients', segments: [ramp] }), Infinity, 625],
    [
      'a ramp of clients, down',
      sampleStage({ ...whole, scale: 'clients', segments: [{ ...ramp, from: 1, to: 0 }] }),
      Infinity,
      625,
    ],
    // 10 % of 4 clients is 1 client.
    [
      'a tenth of the clients',
      sampleStage({ ...whole, scale: 'clients', segments: [{ ...ramp, from: 0.1, to: 0.1 }] }),
      Infinity,
      250,
    ],
  ] as const)('%s', (_, stage, untilMs, operations) => {
    const plan = samplePlan({ stages: [stage] });
    expect(plannedLoad(plan, stage, untilMs).operations).toBeCloseTo(operations, 6);
  });
});

describe('batch numbers', () => {
  test('come in any order, once each, and gaps are counted', () => {
    const set = new SequenceSet();
    expect([2, 1, 1, 5, 5, 3].map((sequence) => set.add(sequence))).toEqual([true, true, false, true, false, true]);
    expect([set.highest, set.missing]).toEqual([5, 1]);
    set.add(4);
    expect([set.highest, set.missing]).toEqual([5, 0]);
  });
});

describe('the interval of a median', () => {
  test('is the same for the same seed and holds the median', () => {
    const interval = bootstrapMedian([10, 12, 11, 30, 11], 3);
    expect(interval).toEqual(bootstrapMedian([10, 12, 11, 30, 11], 3));
    expect(interval?.median).toBe(11);
    expect(interval?.low).toBeLessThanOrEqual(11);
    expect(interval?.high).toBeGreaterThan(11);
  });
  test('needs values', () => expect(bootstrapMedian([], 1)).toBeUndefined());
});
