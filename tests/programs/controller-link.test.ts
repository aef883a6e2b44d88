import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { McpServer } from '../support/client-sim/mcp-server.js';
import { testPlan, testProfile, testStages } from '../support/client-sim/plans.js';
import { TestController } from './support/test-controller.js';
import { PINNED, Testbed, totals } from './support/testbed.js';
import { WorkerProcess } from './support/worker-process.js';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function start(
  args: readonly string[] = [],
  controller: Parameters<typeof Testbed.start>[2] = {},
): Promise<Testbed> {
  const testbed = await Testbed.start({ era: 'modern' }, args, controller);
  undo.push(() => testbed.close());
  return testbed;
}

function steady(ms: number): WorkerPlan {
  return testPlan({
    profiles: [testProfile({ clients: 4, arrivals: { model: 'open', ratePerSecond: 20, spacing: 'uniform' } })],
    stages: testStages({ ms }),
    // What is on its way when the load stops is answered, however busy the machine is.
    drainMs: 10_000,
  });
}

/** Waits until some telemetry shows open sessions. */
function running(testbed: Testbed): Promise<void> {
  return testbed.controller.until(() => testbed.controller.batches.some((batch) => batch.gauges.sessions > 0), 'load');
}

describe('registration', () => {
  test('the worker gives its capacity, measures the clock, and reports its health', async () => {
    const { controller } = await start(['--slot', '3', '--max-clients', '77', '--max-rate', '5']);
    await controller.until(
      () => controller.heartbeats.some(({ clock, health }) => clock !== undefined && health !== undefined),
      'clock and health',
    );
    expect(controller.registrations[0]).toMatchObject({
      slot: 3,
      threads: 2,
      capacity: { clients: 77, ratePerSecond: 5 },
    });
    const clock = controller.heartbeats.find((heartbeat) => heartbeat.clock !== undefined)?.clock;
    expect(clock?.roundTrips).toBe(8);
    expect(Math.abs(clock?.offsetMs ?? Infinity)).toBeLessThanOrEqual((clock?.errorMs ?? 0) + 1);
  });

  test('a worker that the controller refuses ends with a reason', async () => {
    const mcp = await McpServer.start({ era: 'modern', token: 'x' });
    undo.push(() => mcp.close());
    const worker = new WorkerProcess(['--controller', new URL('/', mcp.url).href, '--threads', '1']);
    undo.push(() => worker.end());
    expect(await worker.exited).toBe(2);
    expect(worker.log).toMatch(/HTTP 401 to the registration.*SWARMBENCH_WORKER_TOKEN/s);
  });

  test('wrong arguments end the worker with exit code 2 and the usage', async () => {
    const worker = new WorkerProcess(['--controller', 'nowhere']);
    expect(await worker.exited).toBe(2);
    expect(worker.log).toContain('Usage:');
  });
});

describe('telemetry', () => {
  test('after lost acknowledgements batches are sent again and nothing is counted twice', async () => {
    const testbed = await start();
    testbed.controller.loseAcknowledgements = true;
    testbed.assign(steady(1_500), 'modern');
    await testbed.controller.until(() => testbed.controller.repeated >= 2, 'a batch comes again');
    testbed.controller.loseAcknowledgements = false;
    const batches = await testbed.finished();
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, index) => index + 1));
    expect(totals(batches)).toMatchObject({ offered: 120 });
    expect(totals(batches).succeeded).toBe(testbed.server.answered);
  });

  test('a worker that the controller no longer knows registers again with its run, and the load goes on', async () => {
    const testbed = await start();
    testbed.assign(steady(3_000), 'modern');
    await running(testbed);
    testbed.controller.known = false;
    await testbed.controller.until(() => testbed.controller.registrations.length === 2, 'second registration');
    const [first, second] = testbed.controller.registrations;
    expect(second?.incarnation).toBe(first?.incarnation);
    expect(second?.running).toMatchObject({ runId: 'run-1', workerId: 'w1' });
    const batches = await testbed.finished();
    expect(batches.at(-1)?.final).toEqual({ reason: 'finished' });
    expect(totals(batches)).toMatchObject({ offered: 240, succeeded: testbed.server.answered });
  });

  test('when the controller is away for longer than the lease, the load stops and the telemetry waits', async () => {
    const testbed = await start([], { leaseMs: 800, heartbeatMs: 100 });
    testbed.assign(steady(60_000), 'modern');
    await running(testbed);
    const { port } = testbed.controller;
    await testbed.controller.close();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const callsThen = testbed.server.calls;
    const back = await TestController.start({ port, leaseMs: 800, heartbeatMs: 100 });
    undo.push(() => back.close());
    // What the first controller acknowledged is on its disk: the second one knows it.
    back.batches.push(...testbed.controller.batches);
    await back.until(() => back.finalBatch !== undefined, 'final batch after the lease was lost');
    expect(back.finalBatch?.final?.reason).toBe('lease-lost');
    expect(testbed.server.calls).toBe(callsThen);
    expect(totals(back.batches)).toMatchObject({ succeeded: testbed.server.answered, failed: 0, lost: 0 });
  });
});

describe('orders', () => {
  test('a broken stream of orders is resumed: no order is missed or done twice', async () => {
    const testbed = await start();
    testbed.assign(steady(60_000), 'modern');
    await running(testbed);
    testbed.controller.cutStream();
    testbed.assign(steady(60_000), 'modern');
    testbed.controller.order({ type: 'stop', protocol: 1, runId: 'run-1', mode: 'drain' });
    const batches = await testbed.finished();
    expect(batches.at(-1)?.final).toEqual({ reason: 'stopped' });
    expect(batches.every((batch) => batch.gauges.clients <= 4)).toBe(true);
    const sum = totals(batches);
    expect(sum.offered).toBe(sum.sent + sum.dropped + sum.unsent);
    expect(sum.succeeded).toBe(testbed.server.answered);
  });

  test('the load can be adjusted during a run', async () => {
    const testbed = await start();
    testbed.assign(steady(2_000), 'modern');
    testbed.controller.order({
      type: 'adjust',
      protocol: 1,
      runId: 'run-1',
      adjustId: 'x',
      atMs: 1_000,
      stage: 0,
      load: 0.5,
    });
    expect(totals(await testbed.finished()).offered).toBe(80 + 40);
  });

  test('slots of a lost worker join a running worker where the schedule stands', async () => {
    const testbed = await start();
    const plan = steady(2_000);
    testbed.assign(plan, 'modern', { slots: [{ profile: 0, start: 0, step: 2, count: 2 }] });
    testbed.assign(plan, 'modern', {
      assignmentId: 'a2',
      slots: [{ profile: 0, start: 1, step: 2, count: 2 }],
      joinMs: 1_000,
    });
    expect(totals(await testbed.finished()).offered).toBe(80 + 40);
  });

  test('a stop `now` cuts what is in flight and counts it', async () => {
    const testbed = await start();
    testbed.assign(steady(60_000), 'modern');
    await running(testbed);
    testbed.controller.order({ type: 'stop', protocol: 1, runId: 'run-1', mode: 'now' });
    const sum = totals(await testbed.finished());
    expect(sum.sent).toBe(sum.succeeded + sum.failed + sum.lost);
  });

  test('an assignment beyond the limits is refused with a reason', async () => {
    const testbed = await start(['--max-clients', '3']);
    testbed.assign(steady(1_000), 'modern');
    const batches = await testbed.finished();
    expect(batches.at(-1)?.final).toEqual({
      reason: 'failed',
      problem: '4 clients were assigned, this worker takes 3: add workers, or raise --max-clients and ulimit -n',
    });
    expect(testbed.server.calls).toBe(0);
  });

  test('the worker sends the preflight result and does one run after another', async () => {
    const testbed = await start();
    testbed.controller.order({
      type: 'preflight',
      protocol: 1,
      runId: 'run-1',
      plan: steady(500),
      endpoints: [{ url: testbed.server.url, headers: {} }],
      era: 'auto',
    });
    await testbed.controller.until(() => testbed.controller.preflights.length === 1, 'preflight result');
    expect(testbed.controller.preflights[0]).toMatchObject({ ok: true, pinned: PINNED.modern });
    testbed.assign(steady(500), 'modern');
    await testbed.finished();
    testbed.assign(steady(500), 'modern', { runId: 'run-2' });
    await testbed.controller.until(
      () => testbed.controller.batches.filter(({ final }) => final?.reason === 'finished').length === 2,
      'second run',
    );
  });
});

describe('the end', () => {
  test.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s drains the run, delivers all and ends with exit code 0',
    async (signal) => {
      const testbed = await start();
      testbed.assign(steady(60_000), 'modern');
      await running(testbed);
      testbed.worker.signal(signal);
      expect(await testbed.worker.exited).toBe(0);
      expect(testbed.controller.finalBatch?.final).toEqual({
        reason: 'stopped',
        problem: 'the worker was asked to end',
      });
      expect(totals(testbed.controller.batches).succeeded).toBe(testbed.server.answered);
    },
  );

  test('after a second SIGTERM the worker no longer waits for answers', async () => {
    const testbed = await Testbed.start({ era: 'modern', react: () => 'silence' });
    undo.push(() => testbed.close());
    testbed.assign({ ...steady(60_000), drainMs: 60_000, profiles: [testProfile({ timeoutMs: 60_000 })] }, 'modern');
    await running(testbed);
    await testbed.controller.until(() => testbed.server.calls > 0, 'a call');
    testbed.worker.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 200));
    testbed.worker.signal('SIGTERM');
    expect(await testbed.worker.exited).toBe(0);
    expect(totals(testbed.controller.batches).errors).toEqual({ aborted_by_us: 1 });
  });

  test("the worker ends when the controller's lease file is stale", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'swarmbench-lease-'));
    undo.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'controller.lease');
    writeFileSync(file, '');
    const testbed = await start(['--lease', file]);
    const old = new Date(Date.now() - 61_000);
    utimesSync(file, old, old);
    expect(await testbed.worker.exited).toBe(0);
    expect(testbed.worker.log).toMatch(/controller\.lease has not been touched for \d+ s/);
  });
});
