import { describe, expect, test } from '@jest/globals';
import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import { testOperation, testPlan, testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { sumOfSeries } from '../../tests/support/client-sim/sum-of-series.js';
import { expectBalance, runSimulation } from '../../tests/support/engine/run-simulation.js';
import { type Behaviour, REQUEST_BYTES, type ServerScript } from '../../tests/support/engine/simulated-world.js';
import { decodeToHistogram } from '../../tests/support/protocol/library-histogram.js';

const prompt: ServerScript = {
  open: () => ({ kind: 'answer', afterMs: 0.5 }),
  request: () => ({ kind: 'answer', afterMs: 2 }),
};
const refused: Behaviour = { kind: 'answer', afterMs: 1, failure: { category: 'connect', detail: 'refused' } };

describe('open loop', () => {
  test('sends exactly the schedule of every stage if the target keeps up', () => {
    const plan = testPlan({
      profiles: [testProfile({ clients: 4, maxInFlight: 4, connections: 4 })],
      stages: testStages(
        { ms: 1_000, from: 0, to: 1, scale: 'rate' },
        { ms: 2_000 },
        { ms: 500, from: 0.5, scale: 'rate' },
      ),
    });
    const result = runSimulation(plan, { script: prompt });
    expect(result.series.map(({ stage, offered, succeeded }) => ({ stage, offered, succeeded }))).toEqual([
      { stage: 0, offered: 200, succeeded: 200 },
      { stage: 1, offered: 800, succeeded: 800 },
      { stage: 2, offered: 100, succeeded: 100 },
    ]);
    expectBalance(result);
  });

  test('a stall of one second shows in the latency, which counts from the due time, not in the service time', () => {
    const plan = testPlan({ profiles: [testProfile({ maxInFlight: 1 })], stages: testStages({ ms: 4_000 }) });
    const stall: ServerScript = {
      open: prompt.open,
      request: (number) => ({ kind: 'answer', afterMs: number === 50 ? 1_000 : 2 }),
    };
    const result = runSimulation(plan, { script: stall });
    const [row] = result.series;
    expect(row).toMatchObject({ offered: 400, succeeded: 400 });
    const latency = decodeToHistogram(row?.histograms.latency ?? '');
    const service = decodeToHistogram(row?.histograms.service ?? '');
    expect(latency.getValueAtPercentile(90) / 1000).toBeGreaterThan(500);
    expect(service.getValueAtPercentile(99) / 1000).toBeLessThan(5);
    expectBalance(result);
  });

  test('what queues behind operations that left late by our doing is late by our doing, too', () => {
    const plan = testPlan({ profiles: [testProfile({ maxInFlight: 1 })], stages: testStages({ ms: 4_000 }) });
    // For a second nothing is sent. Then a hundred operations leave one after the other, each when it has room.
    const { series } = runSimulation(plan, { script: prompt, step: (nowMs) => (nowMs === 1_000 ? 1_000 : 1) });
    const latency = decodeToHistogram(series[0]?.histograms.latency ?? '');
    const floor = decodeToHistogram(series[0]?.histograms.latencyFloor ?? '');
    expect(floor.totalCount).toBe(400);
    expect(latency.maxValue / 1000).toBeGreaterThan(900);
    expect(floor.maxValue / 1000).toBeLessThan(5);
  });

  test('a wait for room that a slow target makes is not ours', () => {
    const plan = testPlan({
      profiles: [testProfile({ maxInFlight: 1, timeoutMs: 10_000 })],
      stages: testStages({ ms: 2_000 }),
    });
    const slow: ServerScript = { open: prompt.open, request: () => ({ kind: 'answer', afterMs: 30 }) };
    const { series } = runSimulation(plan, { script: slow });
    const latency = decodeToHistogram(series[0]?.histograms.latency ?? '');
    const floor = decodeToHistogram(series[0]?.histograms.latencyFloor ?? '');
    expect(latency.getValueAtPercentile(50)).toBeGreaterThan(500_000);
    expect(floor.getValueAtPercentile(50)).toBeGreaterThan(0.9 * latency.getValueAtPercentile(50));
    expect(floor.maxValue).toBeLessThanOrEqual(latency.maxValue);
  });

  test('what waits for room when its stage ends is dropped in that stage; the next stage starts clean', () => {
    const plan = testPlan({
      profiles: [testProfile({ timeoutMs: 10_000 })],
      stages: testStages({ ms: 500 }, { ms: 500 }),
    });
    const stuck: ServerScript = {
      open: prompt.open,
      request: (number) => ({ kind: 'answer', afterMs: number === 0 ? 600 : 1 }),
    };
    const result = runSimulation(plan, { script: stuck });
    const [first, second] = result.series;
    expect(first).toMatchObject({ stage: 0, offered: 50, sent: 1, dropped: 49, succeeded: 1 });
    expect(second).toMatchObject({ stage: 1, offered: 50, sent: 50, dropped: 0 });
  });

  test('without a session, due operations are unsent; a refused session fails those that wait for it', () => {
    const silent = runSimulation(testPlan(), {
      script: { open: () => ({ kind: 'silence' }), request: prompt.request },
    });
    expect(sumOfSeries(silent.series)).toMatchObject({ offered: 100, sent: 0, unsent: 100 });
    const dead = runSimulation(testPlan(), { script: { open: () => refused, request: prompt.request } });
    const sum = sumOfSeries(dead.series);
    expect(sum).toMatchObject({ offered: 100, succeeded: 0, dropped: 0 });
    expect(sum.errors.connect).toBe(sum.sent);
    expect(sum.sent).toBeGreaterThan(40);
    expect(dead.sessions[0]?.connectFailures.connect).toBeGreaterThan(3);
  });

  test('a late pump loses nothing: it still sends what was due in a stage that is over', () => {
    const plan = testPlan({
      profiles: [testProfile({ maxInFlight: 100, connections: 100 })],
      stages: testStages({ ms: 300 }),
    });
    const result = runSimulation(plan, { script: prompt, step: () => 250 });
    expect(sumOfSeries(result.series)).toMatchObject({ offered: 30, sent: 30, succeeded: 30 });
  });

  test('clients that join late start at the current point of the schedule', () => {
    const result = runSimulation(testPlan(), { script: prompt, joinMs: 400 });
    expect(sumOfSeries(result.series)).toMatchObject({ offered: 60, sent: 60 });
    expect(Math.min(...result.world.sent.map(({ sequence }) => sequence))).toBe(40);
  });

  test('the load can be adjusted during a stage', () => {
    const result = runSimulation(testPlan({ stages: testStages({ ms: 1_000, scale: 'rate' }) }), {
      script: prompt,
      at: [{ atMs: 400, act: (engine) => engine.adjust({ stage: 0, atMs: 500, load: 2 }) }],
    });
    expect(sumOfSeries(result.series)).toMatchObject({ offered: 150, sent: 150 });
  });
});

describe('closed loop', () => {
  const closed = (overrides: Partial<ProfilePlan> = {}): ProfilePlan =>
    testProfile({ arrivals: { model: 'closed', thinkTime: { kind: 'fixed', ms: 18 } }, ...overrides });

  test('an operation is due when the one before has ended and the think time is over', () => {
    const result = runSimulation(testPlan({ profiles: [closed()] }), { script: prompt });
    // 2 ms of service and 18 ms of think time: 50 per second.
    expect(sumOfSeries(result.series).sent).toBeGreaterThanOrEqual(46);
    expect(sumOfSeries(result.series).sent).toBeLessThanOrEqual(50);
    expectBalance(result);
  });

  test('each request in flight is a loop of its own', () => {
    const one = sumOfSeries(runSimulation(testPlan({ profiles: [closed()] }), { script: prompt }).series).sent;
    const four = sumOfSeries(
      runSimulation(testPlan({ profiles: [closed({ maxInFlight: 4, connections: 4 })] }), { script: prompt }).series,
    ).sent;
    expect(Math.abs(four - 4 * one)).toBeLessThanOrEqual(8);
  });
});

describe('sessions', () => {
  test('a session is counted as answered once in each stage in which it had a correct answer', () => {
    const plan = testPlan({
      profiles: [testProfile({ clients: 40, arrivals: { model: 'closed', thinkTime: { kind: 'fixed', ms: 100 } } })],
      stages: testStages(
        { ms: 500, from: 0, to: 0.5 },
        { ms: 500, from: 0.5 },
        { ms: 90, from: 0.5 },
        { ms: 500, from: 1 },
      ),
    });
    const result = runSimulation(plan, { script: prompt });
    const refusing = runSimulation(plan, { script: { open: prompt.open, request: () => refused } });
    expect(result.sessions[1]?.sessionsAnswered).toBe(20);
    expect(result.sessions[3]?.sessionsAnswered).toBe(40);
    // This stage is shorter than the wait between two calls: no session has two of them.
    expect(result.sessions[2]?.sessionsAnswered).toBeLessThanOrEqual(20);
    expect(refusing.sessions.map(({ sessionsAnswered }) => sessionsAnswered)).toEqual(refusing.sessions.map(() => 0));
    expectBalance(result);
  });

  test('reuse: one session per client, opened when it becomes active and closed when it no longer is', () => {
    const plan = testPlan({
      profiles: [testProfile({ clients: 4 })],
      stages: testStages({ ms: 1_000, from: 0, to: 1 }, { ms: 1_000, from: 1, to: 0 }),
    });
    const result = runSimulation(plan, { script: prompt });
    expect(result.sessions.reduce((sum, row) => sum + row.sessionsOpened, 0)).toBe(4);
    expect(result.snapshots[0]?.gauges[0]?.sessions).toBe(4);
    expect(result.snapshots[1]?.gauges[0]?.sessions).toBeLessThanOrEqual(1);
    expectBalance(result);
  });

  test('pool: as many sessions as the pool has, shared fairly', () => {
    const plan = testPlan({
      profiles: [
        testProfile({
          clients: 6,
          session: { mode: 'pool', size: 2 },
          arrivals: { model: 'closed', thinkTime: { kind: 'none' } },
        }),
      ],
    });
    const result = runSimulation(plan, { script: prompt });
    expect(result.sessions[0]?.sessionsOpened).toBe(2);
    const bySlot = new Map<number, number>();
    for (const { slot } of result.world.sent) bySlot.set(slot, (bySlot.get(slot) ?? 0) + 1);
    expect(bySlot.size).toBe(6);
    expect(Math.max(...bySlot.values()) - Math.min(...bySlot.values())).toBeLessThanOrEqual(1);
    expectBalance(result);
  });

  test('per-request: a session for every operation', () => {
    const plan = testPlan({
      profiles: [testProfile({ session: { mode: 'per-request' }, maxInFlight: 3, connections: 3 })],
    });
    const result = runSimulation(plan, { script: prompt });
    expect(sumOfSeries(result.series)).toMatchObject({ sent: 100, succeeded: 100 });
    expect(result.sessions[0]?.sessionsOpened).toBe(100);
    expectBalance(result);
  });

  test('churn: a new session after a number of operations or after a time', () => {
    const churn = (every: { operations: number } | { ms: number }) =>
      runSimulation(testPlan({ profiles: [testProfile({ session: { mode: 'churn', every } })] }), { script: prompt });
    expect(churn({ operations: 10 }).sessions[0]?.sessionsOpened).toBeGreaterThanOrEqual(10);
    expect(churn({ operations: 10 }).sessions[0]?.sessionsOpened).toBeLessThanOrEqual(11);
    const aged = churn({ ms: 100 }).sessions[0]?.sessionsOpened ?? 0;
    expect(aged).toBeGreaterThanOrEqual(9);
    expect(aged).toBeLessThanOrEqual(11);
  });

  test('a lost session is counted and opened again', () => {
    const result = runSimulation(testPlan(), {
      script: {
        open: prompt.open,
        request: (number) => (number === 20 ? { kind: 'lose', afterMs: 1 } : { kind: 'answer', afterMs: 1 }),
      },
    });
    expect(result.sessions[0]).toMatchObject({ sessionsOpened: 2, sessionsLost: 1, sessionsClosed: 1 });
    expect(sumOfSeries(result.series)).toMatchObject({ failed: 1, errors: { session_lost: 1 } });
  });
});

test('few session slots hold send buffers at once, however many clients are due at a late pump', () => {
  const plan = testPlan({
    profiles: [testProfile({ clients: 2_000, arrivals: { model: 'open', ratePerSecond: 1, spacing: 'uniform' } })],
    stages: testStages({ ms: 3_000 }),
  });
  const { world, series } = runSimulation(plan, { script: prompt, step: () => 500 });
  expect(sumOfSeries(series)).toMatchObject({ offered: 6_000, succeeded: 6_000 });
  expect(world.maxHolding).toBeLessThanOrEqual(40);
});

test('a timeout counts from sending, and the client continues', () => {
  const plan = testPlan({ profiles: [testProfile({ timeoutMs: 50 })] });
  const result = runSimulation(plan, {
    script: {
      open: prompt.open,
      request: (number) => (number === 5 ? { kind: 'silence' } : { kind: 'answer', afterMs: 1 }),
    },
  });
  expect(sumOfSeries(result.series)).toMatchObject({ offered: 100, succeeded: 99, failed: 1, errors: { timeout: 1 } });
});

test('operations without an answer are lost when the drain ends', () => {
  const plan = testPlan({
    drainMs: 100,
    profiles: [testProfile({ timeoutMs: 10_000, maxInFlight: 8, connections: 8 })],
  });
  const result = runSimulation(plan, {
    script: {
      open: prompt.open,
      request: (number) => (number >= 95 ? { kind: 'silence' } : { kind: 'answer', afterMs: 1 }),
    },
  });
  expect(sumOfSeries(result.series)).toMatchObject({ sent: 100, succeeded: 95, lost: 5 });
});

test('Retry-After holds the client back, and its arrivals stay due', () => {
  const script: ServerScript = {
    open: prompt.open,
    request: (number) =>
      number === 9
        ? { kind: 'answer', afterMs: 1, failure: { category: 'http_429', detail: 'later', retryAfterMs: 300 } }
        : { kind: 'answer', afterMs: 1 },
  };
  const result = runSimulation(testPlan({ profiles: [testProfile({ maxInFlight: 50, connections: 50 })] }), { script });
  expect(sumOfSeries(result.series)).toMatchObject({ offered: 100, sent: 100, succeeded: 99 });
  const gaps = result.world.sent.map(({ atMs }, index, all) => atMs - (all[index - 1]?.atMs ?? 0));
  expect(Math.max(...gaps)).toBeGreaterThan(290);
});

test('the same seed gives the same operations, whatever the timing', () => {
  const plan = testPlan({
    profiles: [
      testProfile({
        clients: 3,
        operations: [testOperation('a', 2), testOperation('b', 1), testOperation('c', 1)],
        maxInFlight: 2,
        connections: 2,
      }),
    ],
  });
  const operations = (script: ServerScript, seed: number): string[] =>
    runSimulation({ ...plan, seed }, { script })
      .world.sent.map(({ slot, sequence, operation }) => `${slot} ${sequence} ${operation}`)
      .sort();
  const slow: ServerScript = { open: prompt.open, request: (number) => ({ kind: 'answer', afterMs: number % 7 }) };
  expect(operations(slow, 1)).toEqual(operations(prompt, 1));
  expect(operations(prompt, 2)).not.toEqual(operations(prompt, 1));
});

test('everything due together leaves in one flush per connection', () => {
  const plan = testPlan({
    profiles: [
      testProfile({
        arrivals: { model: 'open', ratePerSecond: 10_000, spacing: 'uniform' },
        maxInFlight: 64,
        pipeline: 64,
      }),
    ],
  });
  const result = runSimulation(plan, { script: prompt });
  expect(result.world.requests).toBe(10_000);
  expect(result.world.flushes).toBeLessThan(2_200);
});

test('the rate limit holds, and what it holds back is unsent', () => {
  const plan = testPlan({
    profiles: [
      testProfile({
        maxInFlight: 100,
        connections: 100,
        arrivals: { model: 'open', ratePerSecond: 1_000, spacing: 'uniform' },
      }),
    ],
  });
  const result = runSimulation(plan, { script: prompt, ratePerSecond: 100 });
  expect(sumOfSeries(result.series).sent).toBeLessThanOrEqual(201);
  expectBalance(result);
});

test('the limit on bytes holds: the load stops with a reason', () => {
  const result = runSimulation(testPlan({ stages: testStages({ ms: 5_000 }) }), {
    script: prompt,
    bytesLimit: 100 * REQUEST_BYTES,
  });
  expect(sumOfSeries(result.series).sent).toBe(100);
  expect(result.limit).toContain('limits.bytes');
  expectBalance(result);
});

test('snapshots end at whole seconds and at ends of stages', () => {
  const plan = testPlan({ stages: testStages({ ms: 700 }, { ms: 1_800 }) });
  const result = runSimulation(plan, { script: prompt });
  const ends = result.snapshots.map(({ toMs }) => toMs);
  expect(ends.slice(0, 4)).toEqual([700, 1_000, 2_000, 2_500]);
  expect(result.snapshots.map(({ stage }) => stage).slice(0, 4)).toEqual([0, 1, 1, 1]);
});

test('a backlog is sent in portions: no pump starts more than 4,096 operations, and none is lost', () => {
  const profile = testProfile({
    clients: 1,
    arrivals: { model: 'open', ratePerSecond: 20_000, spacing: 'uniform' },
    maxInFlight: 20_000,
    connections: 1,
    pipeline: 20_000,
    timeoutMs: 5_000,
  });
  const plan = testPlan({ profiles: [profile], stages: testStages({ ms: 800 }) });
  // The pump at 100 ms is followed by one at 700 ms: 12,000 arrivals become due in between.
  const { world, series } = runSimulation(plan, {
    script: { ...prompt, request: () => ({ kind: 'silence' }) },
    step: (nowMs) => (nowMs === 100 ? 600 : 1),
  });
  const atOnce = new Map<number, number>();
  for (const { atMs } of world.sent) atOnce.set(atMs, (atOnce.get(atMs) ?? 0) + 1);
  expect([700, 701, 702].map((atMs) => atOnce.get(atMs))).toEqual([4_096, 4_096, expect.any(Number)]);
  expect(Math.max(...atOnce.values())).toBe(4_096);
  expect(sumOfSeries(series)).toMatchObject({ offered: 16_000, sent: 16_000, unsent: 0 });
});
