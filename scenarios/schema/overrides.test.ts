import { describe, expect, test } from '@jest/globals';
import { minimal, planOf, problemsOf } from '../../tests/support/scenarios/files.js';

const text = `name: s
workload:
  normal: { clients: 5 }
  talkers: { profile: low-load, thinkTime: 1s }
stages:
  - { name: warm-up, duration: 10s, load: { from: 0%, to: 100% }, measured: false }
  - { name: peak, duration: 20s }
thresholds:
  - errors.rate < 1%
  - { check: latency.p95 < 5s, after: 4s }
stopWhen:
  - { check: errors.rate > 50%, window: 30s }
`;

describe('--set', () => {
  const set = (...sets: string[]) => planOf(text, { sets });

  test('reaches every part of a scenario by its name', () => {
    const plan = set(
      'workload.normal.clients=50',
      'stages.peak.duration=30s',
      'target.replicas=2',
      'thresholds.0=errors.rate < 2%',
      'thresholds.1.after=1s',
      'stopWhen.0.window=1m',
      'seed=9',
      'repeat=2',
    );
    expect(plan.profiles[0]?.clients).toBe(50);
    expect(plan.stages.map((stage) => stage.durationMs)).toEqual([10_000, 30_000, 10_000, 30_000]);
    expect(plan.target).toMatchObject({ kind: 'reference', replicas: 2 });
    expect(plan.thresholds.map(({ check, afterMs }) => [check.text, afterMs])).toEqual([
      ['errors.rate < 2%', 0],
      ['latency.p95 < 5s', 1000],
    ]);
    expect(plan.stopWhen[0]?.windowMs).toBe(60_000);
    expect(plan.seed).toBe(9);
  });

  test('reaches keys that only the profile has', () => {
    const plan = set('workload.normal.operations.echo.weight=70', 'workload.normal.arrivals.spacing=poisson');
    expect(plan.profiles[0]?.operations.map((operation) => operation.weight)).toEqual([70, 2, 1]);
    expect(plan.profiles[0]?.arrivals).toEqual({ model: 'open', ratePerSecond: 100, spacing: 'poisson' });
    expect(plan.profiles[0]?.clients).toBe(5);
  });

  test('takes YAML for a value', () => {
    const plan = set(
      'workload.normal.operations=[{ list: tools }]',
      'stages.1={ name: peak, load: { steps: [50%, 100%], hold: 5s } }',
    );
    expect(plan.stages[1]).toMatchObject({ durationMs: 10_000, segments: [{ from: 0.5 }, { from: 1 }] });
    expect(plan.profiles[0]?.operations.map((operation) => operation.name)).toEqual(['tools/list']);
  });

  test('setting arrivals or thinkTime removes the other', () => {
    expect(set('workload.normal.thinkTime=2s').profiles[0]?.arrivals).toEqual({
      model: 'closed',
      thinkTime: { kind: 'fixed', ms: 2000 },
    });
    expect(set('workload.talkers.arrivals.rate=3/s').profiles[1]?.arrivals).toEqual({
      model: 'open',
      ratePerSecond: 3,
      spacing: 'uniform',
    });
  });

  test('adds and replaces whole workloads', () => {
    const plan = set('workload.low-load={}', 'workload.talkers.profile=flood');
    expect(plan.profiles.map(({ name, clients }) => [name, clients])).toEqual([
      ['normal', 5],
      ['talkers', 100],
      ['low-load', 10],
    ]);
  });

  test('the last one wins', () => {
    expect(set('workload.normal.clients=7', 'workload.normal.clients=8').profiles[0]?.clients).toBe(8);
  });

  test.each([
    [
      'stages.peek.duration=1s',
      '--set stages.peek.duration:1:8: no item `peek` in `stages`\n    hint: did you mean "peak"?',
    ],
    ['stages.7.duration=1s', '--set stages.7.duration:1:8: no item `7` in `stages`\n    hint: stages: warm-up, peak'],
    [
      'stages.peak.durration=1s',
      '--set stages.peak.durration:1:13: unknown key `durration`\n    hint: did you mean "duration"?',
    ],
    [
      'stagez.peak.duration=1s',
      '--set stagez.peak.duration:1:1: unknown key `stagez`\n    hint: did you mean "stages"?',
    ],
    [
      'workload.nromal.clients=5',
      '--set workload.nromal.clients:1:10: the scenario has no workload `nromal`\n' +
        '    hint: did you mean "normal"?; to add it: --set workload.nromal={}',
    ],
    [
      'workload.normal.client=5',
      '--set workload.normal.client:1:17: unknown key `client`\n    hint: did you mean "clients"?',
    ],
    [
      'workload.normal.operations.eco.weight=5',
      '--set workload.normal.operations.eco.weight:1:28: no item `eco` in `operations`\n    hint: did you mean "echo"?',
    ],
    ['workload.normal.clients=5x', '--set workload.normal.clients:1:25: expected a number, not text `5x`'],
    [
      'stages.peak.duration=5',
      '--set stages.peak.duration:1:22: `5` has no unit: expected a duration, such as 30s, 500ms or 1h30m',
    ],
    [
      'thresholds.0=latency.p95{stage="x"} < 1s',
      '--set thresholds.0:1:32: no stage is named `x`\n    hint: stages: warm-up, peak',
    ],
    [
      'thresholds.0.after=1s',
      '--set thresholds.0.after:1:14: `0` is text `errors.rate < 1%` here and has no `after`\n' +
        '    hint: set all of it: --set thresholds.0={...}',
    ],
    ['stages.peak.load=[', '--set stages.peak.load:1:19: Flow sequence must end with a ]'],
    [
      'seed',
      '--set seed:1:1: an override has a path and a value\n' +
        '    hint: write PATH=VALUE, such as --set stages.peak.duration=30s',
    ],
    [
      'a..b=1',
      '--set a..b:1:1: an override has a path and a value\n' +
        '    hint: write PATH=VALUE, such as --set stages.peak.duration=30s',
    ],
    ['seed=', '--set seed:1:6: expected a number, not nothing'],
  ])('%s', (written, expected) => {
    expect(problemsOf(text, { sets: [written] })).toBe(expected);
  });

  test('a value is not printed, because it may be secret', () => {
    expect(problemsOf(text, { sets: ['target.headers.authorization=hunter2'] })).not.toContain('hunter2');
  });
});

describe('--time-scale', () => {
  const plan = planOf(text.replace('clients: 5', 'session: { mode: churn, every: 20s }, timeout: 7s'), {
    timeScale: 0.1,
  });

  test('scales the times that shape the run', () => {
    expect(plan.stages.map(({ startMs, durationMs }) => [startMs, durationMs])).toEqual([
      [0, 1000],
      [1000, 2000],
    ]);
    expect(plan.stages[1]?.segments).toEqual([{ startMs: 1000, endMs: 3000, from: 1, to: 1 }]);
    expect(plan.thresholds[1]?.afterMs).toBe(400);
    expect(plan.stopWhen[0]?.windowMs).toBe(3000);
    expect(plan.profiles[0]?.session).toEqual({ mode: 'churn', every: { ms: 2000 } });
    expect(
      planOf(minimal.replace('duration: 10s', 'load: { steps: [1%, 2%], hold: 10s }'), { timeScale: 0.5 }).stages[0]
        ?.durationMs,
    ).toBe(10_000);
  });

  test('leaves rates, think times, timeouts, drain and limits alone', () => {
    expect(plan.profiles[0]).toMatchObject({ timeoutMs: 7000, arrivals: { ratePerSecond: 100 } });
    expect(plan.profiles[1]?.arrivals).toEqual({ model: 'closed', thinkTime: { kind: 'fixed', ms: 1000 } });
    expect(plan.drainMs).toBe(10_000);
    expect(plan.limits.durationMs).toBe(86_400_000);
  });

  test('never makes a stage of no length, and refuses anything but a factor', () => {
    expect(planOf(minimal, { timeScale: 0.000001 }).stages[0]?.durationMs).toBe(1);
    for (const timeScale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(problemsOf(minimal, { timeScale })).toContain('--time-scale:1:1:');
    }
  });
});

test("--seed replaces the scenario's seed", () => {
  expect(planOf(`${minimal}seed: 4\n`).seed).toBe(4);
  expect(planOf(`${minimal}seed: 4\n`, { seed: 5 }).seed).toBe(5);
  expect(problemsOf(minimal, { seed: 1.5 })).toBe(
    '--seed:1:1: `1.5` is not a seed\n    hint: a whole number from 0 to 4294967295',
  );
});
