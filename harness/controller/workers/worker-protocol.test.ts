import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { AssignmentOrder, Order } from '../../../client-sim/protocol/messages.js';
import { ControllerBench } from '../../../tests/support/controller/controller-bench.js';
import { testPlan } from '../../../tests/support/controller/test-plan.js';
import { batchOf, WireWorker } from '../../../tests/support/controller/wire-worker.js';
import { readTelemetry } from '../../log/telemetry-log.js';
import type { Run } from '../run/run.js';

const aborts: AbortController[] = [];
const benches: ControllerBench[] = [];
afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort();
  await Promise.all(benches.splice(0).map((bench) => bench.stop()));
});

async function setUp(): Promise<{ readonly bench: ControllerBench; readonly worker: WireWorker }> {
  // With the default heartbeat of 1 s, no worker is lost during these tests, which do not send heartbeats.
  const bench = await new ControllerBench({
    timings: { startDelayMs: 50, stopNowMs: 200, lastBatchesMs: 300 },
  }).start();
  benches.push(bench);
  const worker = new WireWorker(bench.api.url);
  await worker.register();
  return { bench, worker };
}

/** The first `count` orders of a new connection. */
async function orders(
  worker: WireWorker,
  count: number,
  after = 0,
): Promise<readonly { readonly id: number; readonly order: Order }[]> {
  const abort = new AbortController();
  aborts.push(abort);
  const got: { readonly id: number; readonly order: Order }[] = [];
  for await (const entry of worker.orders(after, abort.signal)) {
    got.push(entry);
    if (got.length === count) break;
  }
  return got;
}

/** A run whose load has just begun, and whose only worker is ours. */
async function begun(
  bench: ControllerBench,
  worker: WireWorker,
): Promise<{ readonly run: Run; readonly assignment: AssignmentOrder }> {
  const run = bench.controller.submit(testPlan([30]), { command: 'test', registeredWorkers: 1 });
  await orders(worker, 1);
  await worker.preflight(run.id);
  const assignment = (await orders(worker, 1, 1))[0]?.order;
  if (assignment?.type !== 'assignment') throw new Error('no assignment');
  return { run, assignment };
}

test('registration returns an id, a token and timings; a process that registers again keeps id and token', async () => {
  const { bench, worker } = await setUp();
  const [id, token] = [worker.id, worker.token];
  expect(await worker.register()).toMatchObject({ workerId: id, token, heartbeatMs: 1000, leaseMs: 10_000 });
  const other = new WireWorker(bench.api.url);
  expect((await other.register()).workerId).not.toBe(id);
});

test('a call of an unknown worker is answered with 404', async () => {
  const { worker } = await setUp();
  worker.id = 'w99';
  const answer = await worker.heartbeat();
  expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
    404,
    'WORKER_NOT_FOUND',
  ]);
});

test('calls of a worker need the token of that worker, even on loopback', async () => {
  const { worker } = await setUp();
  worker.token = 'x'.repeat(worker.token.length);
  expect((await worker.heartbeat()).status).toBe(401);
  expect((await worker.call(`/workers/${worker.id}/heartbeat`, {})).status).toBe(401);
});

test('a message with an unknown key is refused, and the key is named', async () => {
  const { worker } = await setUp();
  const answer = await worker.own('heartbeat', { protocol: 1, now: 1, mood: 'good' });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('mood');
});

test('the assignment carries the plan, the endpoints with their headers, and every slot', async () => {
  const { bench, worker } = await setUp();
  const { assignment, run } = await begun(bench, worker);
  expect(assignment).toMatchObject({
    runId: run.id,
    workerId: worker.id,
    joinMs: 0,
    pinned: { era: 'legacy' },
    endpoints: [{ url: 'http://127.0.0.1:9/mcp?key=hidden', headers: { authorization: 'Bearer hidden' } }],
    slots: [{ profile: 0, start: 0, step: 1, count: 10 }],
  });
  expect(assignment.plan).not.toHaveProperty('target');
  expect(assignment.startAt).toBeGreaterThan(Date.now() - 5000);
});

test('a stream of orders resumes after Last-Event-ID, and without it starts from the beginning', async () => {
  const { bench, worker } = await setUp();
  const { run } = await begun(bench, worker);
  run.adjust({ load: 0.5 });
  run.stop('user', 'drain');
  // Except the preflight: it is done, and has no id by which the worker could ignore a repeat.
  expect((await orders(worker, 3)).map(({ id, order }) => [id, order.type])).toEqual([
    [2, 'assignment'],
    [3, 'adjust'],
    [4, 'stop'],
  ]);
  expect((await orders(worker, 2, 2)).map(({ id, order }) => [id, order.type])).toEqual([
    [3, 'adjust'],
    [4, 'stop'],
  ]);
});

test('a batch is stored once however often it is sent, and a batch after a gap is refused', async () => {
  const { bench, worker } = await setUp();
  const { run } = await begun(bench, worker);
  const batch = (sequence: number) =>
    batchOf({ runId: run.id, sequence, fromMs: (sequence - 1) * 1000, toMs: sequence * 1000, operations: 100 });
  const together = await Promise.all([worker.deliver(batch(1)), worker.deliver(batch(1)), worker.deliver(batch(1))]);
  expect(together).toEqual([1, 1, 1]);
  expect(await worker.deliver(batch(3))).toBe(1);
  expect(await worker.deliver(batch(2))).toBe(2);
  expect(await worker.deliver(batch(3))).toBe(3);
  expect(await worker.deliver(batch(1))).toBe(3);
  const kept: number[] = [];
  for await (const { value } of readTelemetry(join(run.folder, 'telemetry.jsonl'))) kept.push(value.batch.sequence);
  expect(kept).toEqual([1, 2, 3]);
  expect(await (await fetch(`${bench.api.url}/counters-stats`)).json()).toEqual({
    messagesSent: 300,
    messagesReceived: 300,
    messageSendErrors: 0,
  });
});

test('a batch of an unknown run or stage is refused for good', async () => {
  const { bench, worker } = await setUp();
  const { run } = await begun(bench, worker);
  expect(
    (await worker.telemetry(batchOf({ runId: 'another', sequence: 1, fromMs: 0, toMs: 1000, operations: 1 }))).status,
  ).toBe(410);
  expect(
    (await worker.telemetry(batchOf({ runId: run.id, sequence: 1, fromMs: 0, toMs: 1000, operations: 1, stage: 7 })))
      .status,
  ).toBe(422);
  expect(await run.finished).toMatchObject({ failure: { code: 'TELEMETRY_REFUSED' }, verdict: { kind: 'incomplete' } });
});

test('a failed preflight ends the run, and the error shows request and answer', async () => {
  const { bench, worker } = await setUp();
  const run = bench.controller.submit(testPlan([30]), { command: 'test', registeredWorkers: 1 });
  await orders(worker, 1);
  await worker.preflight(run.id, 'initialize got 500');
  const { failure } = await run.finished;
  expect(failure).toMatchObject({
    code: 'PREFLIGHT_FAILED',
    message: expect.stringMatching(
      /key=\*\*\*: initialize got 500\n.*initialize asked:\n.*POST \/mcp\n.*and got:\n.*500/,
    ),
  });
});

test('a share that exceeds the capacity of its worker is refused, and the error names both', async () => {
  const { bench } = await setUp();
  const small = new WireWorker(bench.api.url, { slot: 1, capacity: { clients: 3, ratePerSecond: 1, connections: 10 } });
  await small.register();
  const run = bench.controller.submit(testPlan([30]), { command: 'test', registeredWorkers: 1 });
  await orders(small, 1);
  await small.preflight(run.id);
  expect((await run.finished).failure).toMatchObject({
    code: 'CAPACITY_EXCEEDED',
    message: expect.stringContaining('10 clients, but it has room for 3'),
  });
});

test('saturation and recovery are logged, and a saturated worker gets no new clients', async () => {
  const { bench, worker } = await setUp();
  const full = new WireWorker(bench.api.url, { slot: 1 });
  await full.register();
  await full.heartbeat({ saturated: true, reason: 'cpu' });
  const { run } = await begun(bench, worker);
  for (const saturated of [true, true, false]) await worker.heartbeat({ saturated, reason: 'its cores are busy' });
  run.stop('user', 'now');
  await run.finished;
  const seen: string[] = [];
  for await (const event of run.events()) {
    if (event.type === 'worker.registered' || event.type === 'worker.saturated' || event.type === 'worker.recovered')
      seen.push(`${event.type} ${event.workerId}`);
  }
  expect(seen).toEqual([
    `worker.registered ${worker.id}`,
    `worker.saturated ${worker.id}`,
    `worker.recovered ${worker.id}`,
  ]);
});
