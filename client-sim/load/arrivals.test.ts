import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ThinkTimePlan } from '../../scenarios/schema/plan.js';
import { testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { type Arrivals, ClosedArrivals, meanThinkTimeMs, OpenArrivals, thinkTimeMs } from './arrivals.js';
import { clientSchedule } from './schedule.js';

function closed(thinkTime: ThinkTimePlan, loops: number, offered: number[] = []): ClosedArrivals {
  return new ClosedArrivals({ thinkTime, loops, seed: 1, slot: 0, index: 0, clients: 1 }, (from) => offered.push(from));
}

test('open loop: every arrival is offered once and then taken or given up, in order, whatever the calls', () => {
  const step = fc.record({
    kind: fc.constantFrom('take' as const, 'offerDue' as const, 'giveUp' as const),
    advanceMs: fc.integer({ min: 0, max: 80 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const profile = testProfile({ arrivals: { model: 'open', ratePerSecond: 100, spacing: 'poisson' } });
      const offered: number[] = [];
      const gone: number[] = [];
      const arrivals: Arrivals = new OpenArrivals(
        clientSchedule(profile, 0, testStages({ ms: 5_000 }), 3),
        0,
        (from, to) => {
          for (let sequence = from; sequence < to; sequence++) offered.push(sequence);
        },
      );
      let nowMs = 0;
      for (const { kind, advanceMs } of steps) {
        nowMs += advanceMs;
        if (kind === 'take') while (arrivals.nextDueMs <= nowMs) gone.push(arrivals.take());
        else if (kind === 'offerDue') expect(arrivals.offerDue(nowMs)).toBe(offered.length - gone.length);
        else
          arrivals.giveUp(nowMs, (from, to) => {
            for (let sequence = from; sequence < to; sequence++) gone.push(sequence);
          });
        expect(gone.length).toBeLessThanOrEqual(offered.length);
      }
      expect(offered).toEqual(offered.map((_, index) => index));
      expect(gone).toEqual(gone.map((_, index) => index));
    }),
  );
});

describe('closed loop', () => {
  test('there are as many loops as may be in flight, each with its own think time', () => {
    const arrivals = closed({ kind: 'fixed', ms: 100 }, 3);
    arrivals.activate(0, 0);
    expect(arrivals.offerDue(100)).toBe(3);
    const [first, second] = [arrivals.take(), arrivals.take()];
    arrivals.ended(second, 250);
    arrivals.ended(first, 200);
    expect(arrivals.offerDue(200)).toBe(1);
    arrivals.take();
    expect(arrivals.nextDueMs).toBe(300);
  });

  test('what waited in vain is offered and given up, and the loop continues in the next stage', () => {
    const offered: number[] = [];
    const arrivals = closed({ kind: 'none' }, 1, offered);
    arrivals.activate(10, 0);
    const given: number[] = [];
    arrivals.giveUp(50, (from) => given.push(from));
    expect(given).toEqual([0]);
    expect(offered).toEqual([0]);
    expect(arrivals.nextDueMs).toBe(50);
  });

  test('an inactive client has no think times; operations in flight count as loops when it is active again', () => {
    const arrivals = closed({ kind: 'none' }, 2);
    arrivals.activate(0, 0);
    const sequence = arrivals.take();
    arrivals.deactivate();
    expect(arrivals.nextDueMs).toBe(Infinity);
    arrivals.activate(100, 1);
    expect(arrivals.offerDue(100)).toBe(1);
    arrivals.ended(sequence, 120);
    expect(arrivals.offerDue(120)).toBe(2);
  });

  test('the first operations of clients that start together are spread over one mean think time', () => {
    const starts = [0, 1, 2, 3].map((index) => {
      const arrivals = new ClosedArrivals(
        { thinkTime: { kind: 'fixed', ms: 100 }, loops: 1, seed: 1, slot: index, index, clients: 4 },
        () => undefined,
      );
      arrivals.activate(0, 0);
      return arrivals.nextDueMs;
    });
    expect(starts).toEqual([0, 25, 50, 75]);
  });
});

test.each<ThinkTimePlan>([
  { kind: 'none' },
  { kind: 'fixed', ms: 30 },
  { kind: 'uniform', minMs: 10, maxMs: 50 },
  { kind: 'exponential', meanMs: 30 },
])('think times of %p have their stated mean and are drawn from the seed', (plan) => {
  const draws = Array.from({ length: 20_000 }, (_, sequence) => thinkTimeMs(plan, 5, 1, sequence));
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  expect(Math.abs(mean - meanThinkTimeMs(plan))).toBeLessThanOrEqual(meanThinkTimeMs(plan) * 0.03);
  expect(thinkTimeMs(plan, 5, 1, 7)).toBe(draws[7]);
});
