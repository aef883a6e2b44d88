import { expect, test } from '@jest/globals';
import { planOf } from '../../tests/support/scenarios/files.js';
import { activeIntervals } from './activity.js';
import { shapeFor } from './load-shape.js';
import { clientSchedule } from './schedule.js';

const plan = planOf(`name: s
workload:
  caller: { profile: low-load, clients: 5, arrivals: { rate: 10/s, spacing: poisson } }
arms:
  a: { replicas: 1 }
  b: { replicas: 2 }
stages:
  - { name: ramp, duration: 20s, load: { from: 20%, to: 100% } }
  - { name: steady, duration: 20s }
`);

test.each([0, 1, 4])('client %i has the same arrivals in its turns, whichever arm it belongs to', (client) => {
  const [ofA, ofB] = plan.profiles.map((profile) => {
    const shape = shapeFor(plan.stages, profile.name);
    const schedule = clientSchedule(profile, client, shape, plan.seed);
    // From the beginning of the settling on, because that is the beginning of a turn.
    const starts = plan.stages.filter(({ arm, measured }) => arm === profile.arm && !measured);
    const due: string[] = [];
    for (let index = 0; Number.isFinite(schedule.dueAt(index)); index += 1) {
      const atMs = schedule.dueAt(index);
      const turn = starts.findLastIndex(({ startMs }) => startMs <= atMs);
      due.push(`${turn}: ${(atMs - (starts[turn]?.startMs ?? 0)).toFixed(3)}`);
    }
    return due;
  });
  expect(ofA?.length).toBeGreaterThan(50);
  expect(ofB).toEqual(ofA);
});

test('no two arms are ever active at once', () => {
  const [ofA = [], ofB = []] = plan.profiles.map((profile) =>
    activeIntervals(shapeFor(plan.stages, profile.name), 0, profile.clients),
  );
  expect(ofA).toHaveLength(12);
  for (const a of ofA) for (const b of ofB) expect(a.toMs <= b.fromMs || b.toMs <= a.fromMs).toBe(true);
});
