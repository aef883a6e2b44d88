import { describe, expect, test } from '@jest/globals';
import { samplePlan, sampleStage } from '../../../tests/support/analysis/sample-plan.js';
import { plannedLoad } from './load-delivery.js';

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
