import { describe, expect, test } from '@jest/globals';
import type { Check } from '../../../scenarios/schema/plan.js';
import { check, samplePlan } from '../../../tests/support/analysis/sample-plan.js';
import { failing, sampleTelemetry } from '../../../tests/support/analysis/sample-run.js';
import { liveView } from '../live-view.js';
import { RunAggregate } from '../merge/aggregate.js';
import { measure } from './measure.js';
import { holds, judgeThresholds } from './thresholds.js';

const plan = samplePlan({ stopWhen: [{ check: check('errors.rate', '>', 0.5), windowMs: 2000 }] });
/**
 * 100 operations a second (80 echo, 20 ping), all 10 ms; from second 3 on one ping a worker fails, and 30 ms the rest.
 */
const aggregate = (() => {
  const built = new RunAggregate(plan);
  const lines = sampleTelemetry(plan, {
    latencyUs: (second) => (second < 3 ? 10_000 : 30_000),
    replicas: ['replica-1', 'replica-2'],
    change: (series, second) =>
      second >= 3 && series.operation === 'ping' ? failing(series, 1, 'tool_error') : series,
  });
  for (const { workerId, batch } of lines) built.add(workerId, batch);
  built.addUsage(1000, [{ id: 'replica-1', role: 'target', cpu: 0.9, memoryBytes: 9e6 }]);
  built.addUsage(3000, [
    { id: 'replica-1', role: 'target', cpu: 0.5, memoryBytes: 5e6 },
    { id: 'w1', role: 'worker', cpu: 2, memoryBytes: 1e9 },
  ]);
  built.addUsage(5000, [
    { id: 'replica-1', role: 'target', cpu: 0.7, memoryBytes: 7e6 },
    { id: 'replica-2', role: 'target', cpu: 0.1, memoryBytes: 8e6 },
  ]);
  return built;
})();

function near(wanted: number) {
  return (actual: number): void => expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(wanted * 0.001);
}
const table: readonly (readonly [metric: string, labels: Check['labels'], expected: (actual: number) => void])[] = [
  ['latency.p50', {}, near(30)],
  ['latency.max', { stage: 'warm-up' }, near(10)],
  ['latency.mean', { stage: 'steady', operation: 'echo' }, near(25)],
  ['service.p99', { profile: 'normal' }, near(29.8)],
  ['connect.p50', { stage: 'warm-up' }, near(1.5)],
  // Where no stage is named, those of the warm-up count, too.
  ['connect.p50', {}, near(1.5)],
  ['throughput', {}, near(98.5)],
  ['offered', {}, near(100)],
  ['delivered', {}, near(1)],
  ['errors.count', {}, near(6)],
  ['errors.count', { category: 'tool_error' }, near(6)],
  ['errors.rate', {}, near(6 / 400)],
  ['errors.rate', { operation: 'ping' }, near(6 / 80)],
  ['sessions.peak', {}, near(4)],
  ['sessions.answered', { stage: 'warm-up' }, near(1)],
  ['sessions.answered', {}, near(0.5)],
  ['usage.cpu', {}, near(0.6)],
  ['usage.cpu', { replica: 'replica-2' }, near(0.1)],
  ['usage.memory', {}, near(8e6)],
  ['latency.p50', { replica: 'replica-1' }, near(30)],
  ['latency.max', { replica: 'replica-2', stage: 'warm-up' }, near(10)],
  ['errors.rate', { replica: 'replica-2' }, near(0.1)],
  ['errors.count', { replica: 'replica-1', profile: 'normal' }, near(8)],
  ['affinity.moved', {}, near(16)],
  ['affinity.moved', { replica: 'replica-2', stage: 'warm-up' }, near(4)],
];

describe("a check's metric", () => {
  test.each(table)('%s %j', (metric, labels, expected) => {
    const measured = measure(check(metric, '<', 1, labels), plan, aggregate);
    if (measured.kind === 'no-data') throw new Error(measured.why);
    expected(measured.value);
  });

  test.each([
    ['errors.count', { category: 'timeout' }],
    ['sessions.lost', {}],
  ] as const)('%s %j is zero where there was data and none of it', (metric, labels) => {
    expect(measure(check(metric, '<', 1, labels), plan, aggregate)).toMatchObject({ kind: 'value', value: 0 });
  });

  test.each([
    ['latency.p95', { operation: 'nothing' }, /no successful operation/],
    ['latency.p95', { replica: 'replica-9' }, /no answer came from a replica replica-9/],
    ['latency.p95', { replica: 'replica-1', operation: 'echo' }, /not kept by operation/],
    ['service.p95', { replica: 'replica-1' }, /not kept by replica/],
    ['connect.p95', { stage: 'steady' }, /no connection/],
    ['throughput', { stage: 'nowhere' }, /no stage nowhere/],
    ['errors.rate', { profile: 'other' }, /no operation ended/],
    ['usage.cpu', { replica: 'replica-9' }, /resource use/],
    ['fault.recovery', {}, /no fault/],
    ['memory.perSession', {}, /samples of memory are too few/],
    ['nonsense', {}, /does not measure/],
  ] as const)('%s %j has no data, and says why', (metric, labels, why) => {
    const measured = measure(check(metric, '<', 1e12, labels), plan, aggregate);
    expect(measured).toMatchObject({ kind: 'no-data' });
    expect(measured.kind === 'no-data' ? measured.why : '').toMatch(why);
  });

  test('a threshold without data never passes, with any comparison', () => {
    const thresholds = (['<', '<=', '>', '>=', '==', '!='] as const).map((comparison) => ({
      check: check('latency.p95', comparison, 0, { operation: 'nothing' }),
      abortOnFail: false,
      afterMs: 0,
    }));
    expect(judgeThresholds({ ...plan, thresholds }, aggregate).map(({ passed }) => passed)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ['<', 1, 1, false],
    ['<=', 1, 1, true],
    ['>', 2, 1, true],
    ['>=', 1, 1, true],
    ['==', 1, 1, true],
    ['!=', 1, 1, false],
  ] as const)('the comparison %s, for %d and %d, is %s', (comparison, actual, wanted, expected) => {
    expect(holds({ comparison, value: wanted }, actual)).toBe(expected);
  });
});

test('moved sessions are unknown where no answer names its replica', () => {
  const silent = new RunAggregate(plan);
  for (const { workerId, batch } of sampleTelemetry(plan)) silent.add(workerId, batch);
  expect(measure(check('affinity.moved', '==', 0), plan, silent)).toMatchObject({
    kind: 'no-data',
    why: 'no answer named its replica',
  });
});

test('replicas have their ids, under any name that answers give', () => {
  const merged = new RunAggregate(plan);
  for (const { workerId, batch } of sampleTelemetry(plan, { replicas: ['host-a', '10.0.1.7:3000', '10.0.1.7'] }))
    merged.add(workerId, batch);
  merged.registerReplicas([
    { id: 'server.1', node: 'n', host: 'host-a', url: 'http://10.0.1.6:3000/mcp' },
    { id: 'server.2', node: 'n', host: 'host-b', url: 'http://10.0.1.7:3000/mcp' },
  ]);
  expect(merged.select({ stages: [0, 1] }).replicas.map(({ name, counts }) => [name, counts.succeeded])).toEqual([
    ['server.1', 108],
    ['server.2', 216],
  ]);
  // Two replicas of one machine: the address alone names neither.
  merged.registerReplicas([{ id: 'server.3', node: 'n', url: 'http://10.0.1.7:3001/mcp' }]);
  expect(merged.select({ stages: [0, 1] }).replicas.map(({ name }) => name)).toEqual([
    '10.0.1.7',
    'server.1',
    'server.2',
  ]);
});

describe('a sliding window', () => {
  const rate = check('errors.rate', '>', 0.5);
  test('covers only its own batches, of any stage', () => {
    expect(measure(rate, plan, aggregate, { fromMs: 1000, toMs: 3000 })).toMatchObject({ kind: 'value', value: 0 });
    expect(measure(rate, plan, aggregate, { fromMs: 4000, toMs: 6000 })).toMatchObject({
      kind: 'value',
      value: 4 / 200,
    });
    expect(measure(check('latency.p50', '<', 1), plan, aggregate, { fromMs: 0, toMs: 2000 })).toMatchObject({
      samples: 200,
    });
    expect(measure(check('throughput', '<', 1), plan, aggregate, { fromMs: -1000, toMs: 1000 })).toMatchObject({
      value: 100,
    });
  });
  test('without batches has no data', () => {
    expect(measure(rate, plan, aggregate, { fromMs: 6000, toMs: 8000 })).toMatchObject({ kind: 'no-data' });
  });
});

test('the live view shows the newest second that all workers reported', () => {
  const live = new RunAggregate(plan);
  for (const { workerId, batch } of sampleTelemetry(plan))
    if (workerId === 'w1' || batch.toMs < 4000) live.add(workerId, batch);
  expect(liveView(live, plan, 4200)).toMatchObject({
    stageName: 'steady',
    offeredPerSecond: 100,
    succeededPerSecond: 100,
    clients: 4,
    sessions: 4,
    failedTotal: 0,
    remainingMs: 1800,
  });
  expect(liveView(new RunAggregate(plan), plan, 0)).toMatchObject({
    stageName: 'warm-up',
    offeredPerSecond: 0,
    p95Ms: undefined,
  });
});
