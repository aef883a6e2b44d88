import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planOf } from '../../tests/support/scenarios/files.js';
import { activeClients, expectedOperations, loadAt, peakRate, totalDurationMs } from './offered-load.js';
import type { StagePlan } from './plan.js';

function planWith(stages: string, workload = 'low-load: { clients: 10, arrivals: { rate: 5/s } }') {
  return planOf(`name: s\nworkload:\n  ${workload}\nstages:\n${stages}\n`);
}

function only(stages: string): StagePlan {
  const [stage] = planWith(stages).stages;
  if (stage === undefined) throw new Error('no stage');
  return stage;
}

describe('load of a stage', () => {
  const ramp = only('  - { name: a, duration: 10s, load: { from: 20%, to: 100% } }');
  const steps = only('  - { name: a, load: { steps: [10%, 50%, 100%], hold: 10s } }');

  test('a ramp is continuous', () => {
    expect([0, 2500, 5000, 10_000].map((t) => loadAt(ramp, t))).toEqual([0.2, 0.4, 0.6000000000000001, 1]);
  });

  test("steps change at once, to the later one's load", () => {
    expect([0, 9999, 10_000, 20_000, 30_000].map((t) => loadAt(steps, t))).toEqual([0.1, 0.1, 0.5, 1, 1]);
  });

  test('is 0 outside', () => {
    expect([-1, 10_001].map((t) => loadAt(ramp, t))).toEqual([0, 0]);
  });

  test.each([
    [0, 10, 0],
    [0.1, 5, 1],
    [0.1, 30, 3],
    [0.07, 100, 7],
    [0.5, 5, 3],
    [1, 5, 5],
    [0.0001, 10, 1],
  ])('load %d of %d clients are %d', (load, clients, active) => {
    expect(activeClients(load, clients)).toBe(active);
  });
});

describe('operations that come due', () => {
  test.each([
    ['constant', '{ name: a, duration: 10s }', 500],
    ['half the clients', '{ name: a, duration: 10s, load: 50% }', 250],
    ['half the rate', '{ name: a, duration: 10s, load: 50%, scale: rate }', 250],
    ['a load between two clients starts the second', '{ name: a, duration: 10s, load: 15% }', 100],
    ['the same as a rate', '{ name: a, duration: 10s, load: 15%, scale: rate }', 75],
    ['a ramp of the rate is a triangle', '{ name: a, duration: 10s, load: { from: 0%, to: 100% }, scale: rate }', 250],
    // Client k starts at k seconds: 10 + 9 + ... + 1 client-seconds at 5/s.
    ['a ramp of clients is a staircase', '{ name: a, duration: 10s, load: { from: 0%, to: 100% } }', 275],
    ['and the same on the way down', '{ name: a, duration: 10s, load: { from: 100%, to: 0% } }', 275],
    ['steps', '{ name: a, load: { steps: [10%, 100%], hold: 10s } }', 550],
    ['more than all of the rate', '{ name: a, duration: 10s, load: 200%, scale: rate }', 1000],
  ])('%s', (_, stage, operations) => {
    const [expected] = expectedOperations(planWith(`  - ${stage}`));
    expect(expected?.operations).toBeCloseTo(operations, 6);
  });

  test('the closed form is the integral of the active clients', () => {
    const percent = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(percent, percent, fc.integer({ min: 1, max: 20 }), (from, to, clients) => {
        const plan = planWith(
          `  - { name: a, duration: 1s, load: { from: ${from}%, to: ${to}% } }`,
          `low-load: { clients: ${clients}, arrivals: { rate: 1000/s } }`,
        );
        const [stage] = plan.stages;
        if (stage === undefined) throw new Error('no stage');
        let sum = 0;
        for (let ms = 0; ms < 1000; ms += 1) sum += activeClients(loadAt(stage, ms + 0.5), clients);
        expect(Math.abs((expectedOperations(plan)[0]?.operations ?? 0) - sum)).toBeLessThanOrEqual(clients);
      }),
      { numRuns: 30 },
    );
  });

  test('of a closed loop are not known', () => {
    expect(expectedOperations(planWith('  - { name: a, duration: 10s }', 'flood: {}'))).toEqual([
      { stage: 0, profile: 'flood', operations: undefined },
    ]);
  });
});

test('trials follow one another', () => {
  const plan = planOf(
    'name: s\nworkload: { low-load: }\nrepeat: 2\nstages:\n  - { name: a, duration: 1s }\n' +
      '  - { name: b, load: { steps: [1%, 2%], hold: 1s } }\n',
  );
  expect(plan.trials).toBe(2);
  expect(plan.stages.map(({ index, name, trial, startMs }) => [index, name, trial, startMs])).toEqual([
    [0, 'a', 1, 0],
    [1, 'b', 1, 1000],
    [2, 'a', 2, 3000],
    [3, 'b', 2, 4000],
  ]);
  expect(plan.stages[3]?.segments).toEqual([
    { startMs: 4000, endMs: 5000, from: 0.01, to: 0.01 },
    { startMs: 5000, endMs: 6000, from: 0.02, to: 0.02 },
  ]);
  expect(totalDurationMs(plan)).toBe(6000);
});

test.each([
  ['low-load: {}', 100],
  ['low-load: { thinkTime: 100ms, maxInFlight: 2, connections: 2 }', 200],
  ['low-load: { thinkTime: { min: 50ms, max: 150ms } }', 100],
  ['low-load: { thinkTime: { mean: 50ms, distribution: exponential } }', 200],
  ['low-load: { thinkTime: 0ms }', undefined],
])('the highest rate of %s is %p', (workload, rate) => {
  const plan = planWith('  - { name: a, duration: 10s }', workload);
  const [stage] = plan.stages;
  const [profile] = plan.profiles;
  if (stage === undefined || profile === undefined) throw new Error('one stage, one profile');
  expect(peakRate(stage, profile)).toBe(rate);
});
