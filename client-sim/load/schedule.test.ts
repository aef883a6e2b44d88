import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { activeIntervals } from './activity.js';
import { IntegratedRate, ratePieces } from './integrated-rate.js';
import { adjustShape } from './load-shape.js';
import { clientSchedule } from './schedule.js';

const load = fc.double({ min: 0, max: 1.5, noNaN: true });
const stage = fc.record({
  ms: fc.integer({ min: 1, max: 3_000 }),
  from: load,
  to: load,
  scale: fc.constantFrom('clients' as const, 'rate' as const),
});
const shape = fc.array(stage, { minLength: 1, maxLength: 4 }).map((stages) => testStages(...stages));
const spacing = fc.constantFrom('uniform' as const, 'poisson' as const);
const rate = fc.double({ min: 0.5, max: 2_000, noNaN: true });

function endOf(stages: ReturnType<typeof testStages>): number {
  const last = stages.at(-1);
  return last === undefined ? 0 : last.startMs + last.durationMs;
}

function profileWith(ratePerSecond: number, kind: 'uniform' | 'poisson', clients: number) {
  return testProfile({ clients, arrivals: { model: 'open', ratePerSecond, spacing: kind } });
}

describe('the schedule of an open-loop client', () => {
  test('due times never decrease and lie within the run', () => {
    fc.assert(
      fc.property(shape, spacing, rate, fc.integer({ min: 0, max: 4 }), (stages, kind, ratePerSecond, index) => {
        const schedule = clientSchedule(profileWith(ratePerSecond, kind, 5), index, stages, 11);
        let before = 0;
        for (let arrival = 0; arrival < 2_000; arrival++) {
          const due = schedule.dueAt(arrival);
          if (due === Infinity) return;
          expect(due).toBeGreaterThanOrEqual(before);
          expect(due).toBeLessThan(endOf(stages));
          before = due;
        }
      }),
      { numRuns: 60 },
    );
  });

  test('countDue is the exact inverse of dueAt; countBefore leaves out what is due at that moment', () => {
    fc.assert(
      fc.property(
        shape,
        spacing,
        rate,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
        (stages, kind, ratePerSecond, shares) => {
          const profile = profileWith(ratePerSecond, kind, 3);
          const schedule = clientSchedule(profile, 1, stages, 5);
          const reference = clientSchedule(profile, 1, stages, 5);
          const due: number[] = [];
          for (let arrival = 0; reference.dueAt(arrival) !== Infinity; arrival++) due.push(reference.dueAt(arrival));
          const times = [...shares.map((share) => share * endOf(stages)), ...due.slice(0, 20), endOf(stages)];
          for (const atMs of times) {
            expect(schedule.countDue(atMs)).toBe(due.filter((time) => time <= atMs).length);
            expect(schedule.countBefore(atMs)).toBe(due.filter((time) => time < atMs).length);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('due times do not depend on the order of the calls', () => {
    const profile = profileWith(500, 'poisson', 2);
    const stages = testStages({ ms: 2_000, from: 0, to: 1, scale: 'rate' });
    const forward = clientSchedule(profile, 1, stages, 3);
    const times = Array.from({ length: 300 }, (_, index) => forward.dueAt(index));
    const backward = clientSchedule(profile, 1, stages, 3);
    for (let index = 299; index >= 0; index--) expect(backward.dueAt(index)).toBe(times[index]);
  });

  test('the number of arrivals on a ramp is the integral of the rate, and due times follow the quadratic', () => {
    const profile = profileWith(1_000, 'uniform', 1);
    const schedule = clientSchedule(profile, 0, testStages({ ms: 10_000, from: 0, to: 1, scale: 'rate' }), 1);
    expect(schedule.countBefore(10_000)).toBe(5_000);
    // Lambda(t) = 1000/s * t^2 / (2 * 10 s): 1,250 arrivals, a quarter of all, are due after 5 s.
    expect(schedule.dueAt(1_250)).toBeCloseTo(5_000, 6);
    const down = clientSchedule(profile, 0, testStages({ ms: 10_000, from: 1, to: 0, scale: 'rate' }), 1);
    expect(down.countBefore(10_000)).toBe(5_000);
    expect(down.dueAt(3_750)).toBeCloseTo(5_000, 6);
  });

  test('an adjustment keeps everything that was due before it', () => {
    fc.assert(
      fc.property(
        shape,
        spacing,
        rate,
        fc.double({ min: 0, max: 1, noNaN: true }),
        load,
        (stages, kind, ratePerSecond, share, newLoad) => {
          const atMs = share * endOf(stages);
          const target = stages.find((candidate) => candidate.startMs + candidate.durationMs > atMs) ?? stages[0];
          if (target === undefined) return;
          const profile = profileWith(ratePerSecond, kind, 3);
          const before = clientSchedule(profile, 1, stages, 9);
          const after = clientSchedule(
            profile,
            1,
            adjustShape(stages, { stage: target.index, atMs, load: newLoad }),
            9,
          );
          for (let arrival = 0; before.dueAt(arrival) < atMs - 1e-6; arrival++)
            expect(after.dueAt(arrival)).toBeCloseTo(before.dueAt(arrival), 5);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('poisson gaps have the mean and the spread of an exponential', () => {
    const schedule = clientSchedule(profileWith(1_000, 'poisson', 1), 0, testStages({ ms: 40_000 }), 42);
    const gaps: number[] = [];
    for (let arrival = 1; arrival < 30_000; arrival++) gaps.push(schedule.dueAt(arrival) - schedule.dueAt(arrival - 1));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeGreaterThan(0.97);
    expect(mean).toBeLessThan(1.03);
    expect(deviation / mean).toBeGreaterThan(0.97);
    expect(deviation / mean).toBeLessThan(1.03);
  });
});

describe('clients together', () => {
  test('uniform arrivals of n clients are evenly spaced, and do not come n at a time', () => {
    const profile = profileWith(10, 'uniform', 4);
    const stages = testStages({ ms: 1_000 });
    const all = [0, 1, 2, 3]
      .flatMap((index) => {
        const schedule = clientSchedule(profile, index, stages, 1);
        return Array.from({ length: 10 }, (_, arrival) => schedule.dueAt(arrival));
      })
      .sort((a, b) => a - b);
    for (const [index, due] of all.entries()) expect(due).toBeCloseTo(index * 25, 6);
  });

  test.each([
    { percent: 10, clients: 5, active: 1 },
    { percent: 7, clients: 100, active: 7 },
    { percent: 100, clients: 3, active: 3 },
    { percent: 0, clients: 3, active: 0 },
    { percent: 29, clients: 100, active: 29 },
  ])('$percent % of $clients clients are $active', ({ percent, clients, active }) => {
    const stages = testStages({ ms: 1_000, from: percent / 100 });
    const count = Array.from({ length: clients }, (_, index) => activeIntervals(stages, index, clients)).filter(
      (intervals) => intervals.length > 0,
    ).length;
    expect(count).toBe(active);
  });

  test('a ramp adds clients one by one, and client-seconds are the integral of the load', () => {
    fc.assert(
      fc.property(load, load, fc.integer({ min: 50, max: 200 }), (from, to, clients) => {
        const capped = { from: Math.min(1, from), to: Math.min(1, to) };
        const stages = testStages({ ms: 1_000, ...capped });
        let clientMs = 0;
        for (let index = 0; index < clients; index++) {
          for (const interval of activeIntervals(stages, index, clients)) clientMs += interval.toMs - interval.fromMs;
        }
        // Client k is active for loads above k/n: on average half a client more than the load.
        expect(Math.abs(clientMs - ((capped.from + capped.to) / 2) * clients * 1_000)).toBeLessThanOrEqual(
          1_000 + 1e-6,
        );
      }),
    );
  });

  test('a client that is active on both sides of a stage border is not interrupted', () => {
    const stages = testStages({ ms: 500, from: 0, to: 1 }, { ms: 500 }, { ms: 500, from: 1, to: 0 });
    expect(activeIntervals(stages, 0, 2)).toHaveLength(1);
  });

  test('the schedules of N workers together are the global schedule', () => {
    const profile = profileWith(200, 'poisson', 10);
    const stages = testStages({ ms: 2_000, from: 0.2, to: 1 });
    const times = (indices: readonly number[]): number[] =>
      indices.flatMap((index) => {
        const schedule = clientSchedule(profile, index, stages, 77);
        return Array.from({ length: schedule.countBefore(2_000) }, (_, arrival) => schedule.dueAt(arrival));
      });
    const whole = times([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).sort((a, b) => a - b);
    const workers = [
      [0, 3, 6, 9],
      [1, 4, 7],
      [2, 5, 8],
    ]
      .flatMap(times)
      .sort((a, b) => a - b);
    expect(workers).toEqual(whole);
  });
});

test('area and timeOf are inverses on any shape', () => {
  fc.assert(
    fc.property(shape, rate, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (stages, ratePerSecond, share) => {
      const integrated = new IntegratedRate(ratePieces(stages, 0, 1, ratePerSecond));
      if (integrated.total === 0) return;
      const area = integrated.total * share;
      const atMs = integrated.timeOf(area);
      expect(Math.abs(integrated.area(atMs) - area)).toBeLessThan(1e-6 * Math.max(1, integrated.total));
    }),
  );
});
