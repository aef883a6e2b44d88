import { describe, expect, test } from '@jest/globals';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { testPlan, testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { runSimulation } from '../../tests/support/engine/run-simulation.js';
import type { StreamBehaviour } from '../../tests/support/engine/simulated-world.js';
import { draw32 } from '../mcp/draw.js';
import { SequenceTracker } from './subscriber.js';

const subscription: OperationPlan = {
  name: 'topic',
  method: 'resources/subscribe',
  params: { kind: 'constant', json: '{"uri":"bench://topic/a"}' },
  target: 'bench://topic/a',
  weight: 1,
};
const listening = testProfile({
  arrivals: { model: 'none' },
  operations: [subscription],
  stream: { away: [], resume: false },
});

/** The pauses between the loss of one session and the opening of the next, in milliseconds. */
function pauses(stream: StreamBehaviour): readonly number[] {
  const plan = testPlan({ profiles: [listening], stages: testStages({ ms: 20_000 }) });
  const { world } = runSimulation(plan, {
    script: {
      open: () => ({ kind: 'answer', afterMs: 1 }),
      request: () => ({ kind: 'silence' }),
      stream: () => stream,
    },
  });
  const opened = world.channels.map(({ openedAtMs }) => openedAtMs);
  return opened.slice(1).map((atMs, index) => atMs - (opened[index] ?? 0) - stream.lostAfterMs);
}

describe('a client that only listens', () => {
  test('comes back soon to a server that confirmed its subscription, however often it loses the session', () => {
    const all = pauses({ subscribedAfterMs: 2, lostAfterMs: 300 });
    expect(all.length).toBeGreaterThan(40);
    // One pause of at most 100 ms, and the steps of the pump and of opening.
    expect(Math.max(...all)).toBeLessThanOrEqual(110);
  });

  test('waits longer and longer if its subscription is never confirmed', () => {
    const all = pauses({ lostAfterMs: 300 });
    expect(all.length).toBeLessThan(15);
    expect(Math.max(...all)).toBeGreaterThan(2_000);
  });
});

describe('the sequence numbers of a publisher', () => {
  function received(numbers: readonly number[]): string[] {
    const tracker = new SequenceTracker();
    return numbers.map((number) => tracker.receive(number));
  }

  test.each([
    ['numbers in order', [5, 6, 7], ['first', 'next', 'next']],
    ['a gap that is filled later', [0, 3, 1, 2, 4], ['first', 'next', 'late', 'late', 'next']],
    ['repeated numbers', [0, 1, 0, 1, 2, 2], ['first', 'next', 'duplicate', 'duplicate', 'next', 'duplicate']],
    ['the same number of a gap twice', [0, 9, 4, 4], ['first', 'next', 'late', 'duplicate']],
    ['a number before the first one received', [5, 4, 5], ['first', 'duplicate', 'duplicate']],
  ])('%s', (_, numbers, expected) => {
    expect(received(numbers)).toEqual(expected);
  });

  test('each number from the first on is new exactly once, in whatever order and however often it comes', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = (position: number, below: number): number =>
        draw32({ seed, slot: 0, sequence: 0 }, position) % below;
      const numbers = [0, ...Array.from({ length: 300 }, (_, index) => random(index, 60))];
      const fresh = received(numbers).flatMap((arrival, index) => (arrival === 'duplicate' ? [] : [numbers[index]]));
      expect([...fresh].sort((a = 0, b = 0) => a - b)).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    }
  });

  test('the memory for gaps is bounded: the oldest gaps are dropped', () => {
    const tracker = new SequenceTracker();
    for (let number = 0; number < 20_000; number += 2) tracker.receive(number);
    expect(tracker.receive(1)).toBe('duplicate');
    expect(tracker.receive(19_997)).toBe('late');
  });
});
