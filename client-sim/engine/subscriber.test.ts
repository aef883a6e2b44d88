import { expect, test } from '@jest/globals';
import type { OperationPlan } from '../../scenarios/schema/plan.js';
import { testPlan, testProfile, testStages } from '../testing/plans.js';
import { runSimulation } from './testing/run-simulation.js';
import type { StreamBehaviour } from './testing/simulated-world.js';

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

/** How long each session was waited for after the one before was lost, in milliseconds. */
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

test('a client that only listens comes back soon to a server that took its subscription, however often', () => {
  const all = pauses({ subscribedAfterMs: 2, lostAfterMs: 300 });
  expect(all.length).toBeGreaterThan(40);
  // One pause of at most 100 ms, and the steps of the pump and of opening.
  expect(Math.max(...all)).toBeLessThanOrEqual(110);
});

test('and waits longer and longer where its subscription is never taken', () => {
  const all = pauses({ lostAfterMs: 300 });
  expect(all.length).toBeLessThan(15);
  expect(Math.max(...all)).toBeGreaterThan(2_000);
});
