import { expect, test } from '@jest/globals';
import { testOperation, testPlan, testProfile, testStages } from '../../tests/support/client-sim/plans.js';
import { sumOfSeries } from '../../tests/support/client-sim/sum-of-series.js';
import { runSimulation } from '../../tests/support/engine/run-simulation.js';
import { Batch } from './batch.js';
import { METRICS } from './metric-names.js';
import { MetricsServer } from './metrics-server.js';
import { WorkerMetrics } from './worker-metrics.js';

const plan = testPlan({
  profiles: [testProfile({ clients: 2, operations: [testOperation('a', 2), testOperation('b', 1)] })],
  stages: testStages({ ms: 1_500 }, { ms: 1_000 }),
});
const result = runSimulation(plan, {
  script: {
    open: (attempt) => ({
      kind: 'answer',
      afterMs: 3,
      ...(attempt === 0 ? { failure: { category: 'connect', detail: 'refused' } } : {}),
    }),
    request: (number) => ({
      kind: 'answer',
      afterMs: 4,
      ...(number % 10 === 9 ? { failure: { category: 'http_500', detail: 'broken' } } : {}),
    }),
  },
});

test('merging is the same in any order and any grouping', () => {
  const telemetryOf = (batch: Batch) => [batch.operationSeries(), batch.sessionSeries()];
  const one = new Batch(plan);
  for (const snapshot of result.snapshots) one.add(snapshot);
  const other = new Batch(plan);
  for (const snapshot of [...result.snapshots].reverse()) other.add(snapshot);
  expect(telemetryOf(other)).toEqual(telemetryOf(one));
  expect(one.operationSeries().reduce((sum, row) => sum + row.offered, 0)).toBe(500);
});

test('a scrape has every metric, with the numbers of the telemetry', async () => {
  const metrics = new WorkerMetrics();
  for (const snapshot of result.snapshots) {
    const batch = new Batch(plan);
    batch.add(snapshot);
    metrics.observe(batch, plan);
  }
  const server = await MetricsServer.start(metrics.registry, '127.0.0.1', 0);
  try {
    const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${server.port}/else`)).status).toBe(404);
    for (const [name, { kind }] of Object.entries(METRICS)) expect(text).toContain(`# TYPE ${name} ${kind}`);
    const sum = sumOfSeries(result.series);
    const total = (name: string, labels: RegExp): number =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && labels.test(line))
        .reduce((all, line) => all + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    expect(total('mcp_client_offered_total', /./)).toBe(sum.offered);
    expect(total('mcp_client_requests_total', /outcome="ok"/)).toBe(sum.succeeded);
    expect(total('mcp_client_requests_total', /outcome="http_500"/)).toBe(sum.errors.http_500);
    expect(total('mcp_client_request_duration_seconds_count', /./)).toBe(sum.succeeded);
    expect(total('mcp_client_service_duration_seconds_bucket', /le="0.005"/)).toBe(sum.succeeded);
    expect(total('mcp_client_service_duration_seconds_bucket', /le="0.0025"/)).toBe(0);
    expect(total('mcp_client_service_duration_seconds_sum', /./) / sum.succeeded).toBeCloseTo(0.004, 3);
    expect(total('mcp_client_messages_errors_total', /category="connect"/)).toBeGreaterThan(0);
  } finally {
    await server.close();
  }
});
