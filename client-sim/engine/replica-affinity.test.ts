import { describe, expect, test } from '@jest/globals';
import { testPlan, testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { runSimulation } from '../../tests/support/engine/run-simulation.js';
import type { ServerScript } from '../../tests/support/engine/simulated-world.js';
import { Batch } from '../measure/batch.js';
import { percentileMs } from '../measure/duration-histogram.js';
import { ReplicaNames } from '../measure/replica-names.js';

const REPLICAS = ['one', 'two'];
const ONE = 1;
const TWO = 2;
const quick = { kind: 'answer', afterMs: 2 } as const;

/** One client, one request at a time, 100 a second. */
const onePlan = testPlan({ profiles: [testProfile()], stages: testStages({ ms: 1_000 }) });

function counted(script: ServerScript, plan = onePlan): ReturnType<typeof runSimulation>['replicas'] {
  return runSimulation(plan, { script, replicas: REPLICAS }).replicas.map(
    ({ latency: _, latencyFloor: __, ...counts }) => counts,
  );
}

const zeros = { stage: 0, profile: 'profile', failed: 0, sessions: 0, opened: 0, moved: 0, moves: 0, unknown: 0 };

describe('replica affinity', () => {
  test('a session that is always answered by one replica belongs to it and never moves', () => {
    expect(counted({ open: () => ({ ...quick, replica: ONE }), request: () => ({ ...quick, replica: ONE }) })).toEqual([
      { ...zeros, replica: 'one', succeeded: 100, sessions: 1, opened: 1 },
    ]);
  });

  test('a session answered by two replicas in turn counts as moved once, and each later answer as a move', () => {
    const replicas = counted({
      open: () => ({ ...quick, replica: ONE }),
      request: (number) => ({ ...quick, replica: number % 2 === 0 ? TWO : ONE }),
    });
    expect(replicas).toEqual([
      { ...zeros, replica: 'one', succeeded: 50, sessions: 1, opened: 1, moves: 50 },
      { ...zeros, replica: 'two', succeeded: 50, moved: 1, moves: 50 },
    ]);
  });

  test('a session that lives through several stages is counted, and moves, in each of them', () => {
    const replicas = counted(
      {
        open: () => ({ ...quick, replica: ONE }),
        request: (number) => ({ ...quick, replica: number === 10 || number === 60 ? TWO : ONE }),
      },
      testPlan({ profiles: [testProfile()], stages: testStages({ ms: 500 }, { ms: 500 }) }),
    );
    expect(replicas).toEqual([
      { ...zeros, replica: 'one', succeeded: 49, sessions: 1, opened: 1, moves: 1 },
      { ...zeros, replica: 'two', succeeded: 1, moved: 1, moves: 1 },
      { ...zeros, stage: 1, replica: 'one', succeeded: 49, sessions: 1, moves: 1 },
      { ...zeros, stage: 1, replica: 'two', succeeded: 1, moved: 1, moves: 1 },
    ]);
  });

  test('a session that is not known is counted for the replica that did not know it', () => {
    const replicas = counted({
      open: () => ({ ...quick, replica: ONE }),
      request: (number) =>
        number % 20 === 19 ? { kind: 'lose', afterMs: 2, replica: TWO } : { ...quick, replica: ONE },
    });
    expect(replicas).toEqual([
      { ...zeros, replica: 'one', succeeded: 95, sessions: 5 + 1, opened: 5 + 1 },
      { ...zeros, replica: 'two', succeeded: 0, failed: 5, moved: 5, moves: 5, unknown: 5 },
    ]);
  });

  test('answers that name no replica are not attributed, and are no moves', () => {
    expect(counted({ open: () => quick, request: () => quick })).toEqual([]);
    const some = counted({
      open: () => ({ ...quick, replica: ONE }),
      request: (number) => (number % 2 === 0 ? quick : { ...quick, replica: ONE }),
    });
    expect(some).toEqual([{ ...zeros, replica: 'one', succeeded: 50, sessions: 1, opened: 1 }]);
  });

  test('an operation without an answer is charged to the replica if there is only one behind the endpoint', () => {
    const { replicas, series } = runSimulation(onePlan, {
      script: { open: () => quick, request: (number) => (number === 3 ? { kind: 'silence' } : quick) },
      endpointReplica: 'here',
    });
    expect(series[0]).toMatchObject({ errors: { timeout: 1 } });
    expect(replicas).toMatchObject([
      { replica: 'here', succeeded: series[0]?.succeeded, failed: 1, sessions: 1, moved: 0 },
    ]);
  });

  test('each replica has its own latency', () => {
    const { snapshots } = runSimulation(onePlan, {
      script: {
        open: () => quick,
        request: (number) => ({
          kind: 'answer',
          afterMs: number % 2 === 0 ? 2 : 6,
          replica: number % 2 === 0 ? ONE : TWO,
        }),
      },
      replicas: REPLICAS,
    });
    const batch = new Batch(onePlan);
    for (const snapshot of snapshots) batch.add(snapshot);
    const p50 = Object.fromEntries(
      [...batch.replicas.values()].map(({ row, latency }) => [row.replica, Math.round(percentileMs(latency, 50))]),
    );
    expect(p50).toEqual({ one: 2, two: 6 });
  });
});

test('each thread has its own numbers for replicas; a batch identifies them by name', () => {
  const script: ServerScript = {
    open: () => ({ ...quick, replica: ONE }),
    request: () => ({ ...quick, replica: ONE }),
  };
  const batch = new Batch(onePlan);
  for (const names of [
    ['one', 'two'],
    ['two', 'one'],
  ])
    for (const snapshot of runSimulation(onePlan, { script, replicas: names }).snapshots) batch.add(snapshot);
  expect(batch.replicaSeries()).toMatchObject([
    { replica: 'one', succeeded: 100 },
    { replica: 'two', succeeded: 100 },
  ]);
});

test('invalid names are not attributed, and replicas beyond a limit are counted together', () => {
  const names = new ReplicaNames();
  expect(['', 'with space', 'x'.repeat(129), 'gr\u00f6\u00dfe'].map((name) => names.numberOf(name))).toEqual([
    0, 0, 0, 0,
  ]);
  const numbers = Array.from({ length: 500 }, (_, index) => names.numberOf(`replica-${index}`));
  expect(numbers[0]).toBe(1);
  expect(names.numberOf('replica-0')).toBe(1);
  expect(new Set(numbers).size).toBe(names.size - 1);
  expect(names.size).toBeLessThan(200);
  expect(names.nameOf(numbers.at(-1) ?? 0)).toBe('(others)');
});
