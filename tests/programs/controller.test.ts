import { existsSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { Run } from '../../harness/controller/run/run.js';
import { readEvents } from '../../harness/log/event-log.js';
import type { RunEvent } from '../../harness/log/events.js';
import { readTelemetry } from '../../harness/log/telemetry-log.js';
import { ControllerBench, quickTimings } from '../support/controller/controller-bench.js';
import { testPlan } from '../support/controller/test-plan.js';

const benches: ControllerBench[] = [];
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.stop()));
});

async function bench(...args: ConstructorParameters<typeof ControllerBench>): Promise<ControllerBench> {
  const made = await new ControllerBench(...args).start();
  benches.push(made);
  return made;
}

async function operations(folder: string): Promise<number> {
  let sum = 0;
  for await (const { value } of readTelemetry(join(folder, 'telemetry.jsonl')))
    for (const series of value.batch.series) sum += series.succeeded;
  return sum;
}

async function eventsOf(run: Run): Promise<readonly RunEvent[]> {
  return (await readEvents(join(run.folder, 'events.jsonl'))).events;
}

function reached(run: Run, wanted: (event: RunEvent) => boolean): Promise<RunEvent> {
  return new Promise((resolve, reject) => {
    void (async () => {
      for await (const event of run.events()) if (wanted(event)) return resolve(event);
      reject(new Error('the run ended without that event'));
    })();
  });
}

test('a run goes through its states, delivers every operation and passes', async () => {
  const { controller, resultsFolder, reported } = await bench();
  const run = controller.submit(testPlan([2, 1]), { command: 'test', workers: 2 });
  const states: string[] = [run.state.kind];
  run.subscribe(() => {
    if (states.at(-1) !== run.state.kind) states.push(run.state.kind);
  });
  const finished = await run.finished;
  expect(finished).toMatchObject({ verdict: { kind: 'passed' }, failure: undefined, stopped: undefined, problems: [] });
  expect(states).toEqual(
    ['created', 'deploying', 'preflight', 'running', 'draining', 'analysing', 'finished'].slice(
      states[0] === 'created' ? 0 : 1,
    ),
  );
  // 10 clients, 10 a second, 3 s.
  expect(await operations(run.folder)).toBe(300);
  expect(reported).toEqual([run.folder]);
  expect(await readlink(join(resultsFolder, 'latest'))).toBe(run.id);
  const events = await eventsOf(run);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter((event) => event.type === 'stage.started')).toMatchObject([
    { stage: 0, name: 'stage-1' },
    { stage: 1, name: 'stage-2' },
  ]);
  expect(events.filter((event) => event.type === 'usage').length).toBeGreaterThan(0);
  expect(existsSync(join(run.folder, 'secrets.json'))).toBe(false);
  expect(existsSync(join(run.folder, 'controller.lease'))).toBe(false);
  expect(await readFile(join(run.folder, 'events.jsonl'), 'utf8')).not.toContain('hidden');
}, 40_000);

test('the policy fail ends a run as incomplete when a worker is killed', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([20]), { command: 'test', workers: 2 });
  await reached(run, (event) => event.type === 'stage.started');
  platform.children[0]?.kill('SIGKILL');
  const finished = await run.finished;
  expect(finished).toMatchObject({ verdict: { kind: 'incomplete' }, stopped: 'worker-loss' });
  const events = await eventsOf(run);
  expect(events).toContainEqual(expect.objectContaining({ type: 'worker.lost', policy: 'fail' }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'worker.finished', reason: 'stopped' }));
}, 40_000);

test('the policy replace gives each slot of a killed worker to exactly one other worker', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([4], { onWorkerLoss: 'replace' }), { command: 'test', workers: 3 });
  await reached(run, (event) => event.type === 'stage.started');
  platform.children[1]?.kill('SIGKILL');
  const finished = await run.finished;
  expect(finished.stopped).toBeUndefined();
  const events = await eventsOf(run);
  const moved = events.filter((event) => event.type === 'slots.moved');
  const started = events.find((event) => event.type === 'run.started');
  const given = started?.assignments.find(({ workerId }) => workerId === moved[0]?.from)?.slots ?? [];
  const members = (sets: typeof given): number[] =>
    sets.flatMap((set) => Array.from({ length: set.count }, (_, index) => set.start + index * set.step));
  expect(moved.flatMap(({ slots }) => members(slots)).toSorted()).toEqual(members(given).toSorted());
  expect(new Set(moved.map(({ to }) => to)).size).toBe(2);
}, 40_000);

test('the policy continue goes on with the other workers, and the verdict is not passed', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([3], { onWorkerLoss: 'continue' }), { command: 'test', workers: 2 });
  await reached(run, (event) => event.type === 'stage.started');
  platform.children[1]?.kill('SIGKILL');
  const finished = await run.finished;
  expect(finished.stopped).toBeUndefined();
  expect(finished.verdict.kind).not.toBe('passed');
  expect((await eventsOf(run)).some((event) => event.type === 'slots.moved')).toBe(false);
}, 40_000);

test('a stop waits for the last batches, and the verdict is incomplete', async () => {
  const { controller } = await bench();
  const run = controller.submit(testPlan([30]), { command: 'test', workers: 1 });
  await reached(run, (event) => event.type === 'stage.started');
  run.stop('user', 'drain', 'enough');
  run.stop('user', 'drain', 'a second stop, which is not logged');
  const finished = await run.finished;
  expect(finished).toMatchObject({ verdict: { kind: 'incomplete' }, stopped: 'user', failure: undefined });
  const events = await eventsOf(run);
  expect(events.filter((event) => event.type === 'stop.requested')).toMatchObject([{ detail: 'enough' }]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'worker.finished', reason: 'stopped' }));
}, 40_000);

test('when workers are missing, the error says how many registered', async () => {
  const { controller } = await bench({ timings: { registerMs: 300 } });
  const run = controller.submit(testPlan([1]), { command: 'test', registeredWorkers: 2 });
  const finished = await run.finished;
  expect(finished).toMatchObject({
    verdict: { kind: 'incomplete' },
    failure: {
      code: 'WORKERS_MISSING',
      message: expect.stringContaining('0 of 2 workers registered within 0.3 s (none)'),
      hint: expect.stringContaining('(where they were started)'),
    },
  });
}, 10_000);

test('a worker that ends before it registers is not waited for', async () => {
  const { controller, platform } = await bench({ timings: { ...quickTimings, registerMs: 60_000 } });
  const prepare = platform.prepare.bind(platform);
  platform.prepare = async (plan, context) => {
    const environment = await prepare(plan, context);
    platform.children[0]?.kill('SIGKILL');
    return environment;
  };
  const { failure, verdict } = await controller.submit(testPlan([1]), { command: 'test', workers: 1 }).finished;
  expect(failure).toMatchObject({ code: 'WORKER_ENDED', message: expect.stringMatching(/pid \d+ ended with SIGKILL/) });
  expect(verdict.kind).toBe('incomplete');
}, 30_000);

test('a plan that the platform cannot run is refused, with the reason, before anything starts', async () => {
  const { controller, platform } = await bench();
  platform.refused = ['faults: kill needs the swarm platform'];
  const finished = await controller.submit(testPlan([1]), { command: 'test' }).finished;
  expect(finished.failure).toMatchObject({ code: 'PLAN_REFUSED', message: expect.stringContaining('faults: kill') });
  expect(platform.children).toEqual([]);
});

test('runs go one at a time, and a queued run can be stopped', async () => {
  const { controller } = await bench();
  const first = controller.submit(testPlan([1]), { command: 'test', workers: 1 });
  const second = controller.submit(testPlan([1]), { command: 'test', workers: 1 });
  const third = controller.submit(testPlan([1]), { command: 'test', workers: 1 });
  expect([first, second, third].map(({ id }) => controller.queuePosition(id))).toEqual([undefined, 1, 2]);
  second.stop('user', 'now', 'changed my mind');
  expect(await second.finished).toMatchObject({ verdict: { kind: 'incomplete' }, stopped: 'user' });
  expect(controller.queuePosition(third.id)).toBe(1);
  expect((await first.finished).verdict.kind).toBe('passed');
  expect((await third.finished).verdict.kind).toBe('passed');
  expect(controller.runs()).toEqual([]);
}, 40_000);

test('an adjustment is logged, and is refused outside of the load', async () => {
  const { controller } = await bench();
  const run = controller.submit(testPlan([30]), { command: 'test', workers: 1 });
  expect(() => run.adjust({ load: 0.5 })).toThrow(/not running/);
  await reached(run, (event) => event.type === 'stage.started');
  const adjusted = run.adjust({ load: 0.5, profile: 'steady' });
  expect(adjusted).toMatchObject({ type: 'load.adjusted', adjustId: 'j1', stage: 0, load: 0.5, profile: 'steady' });
  expect(() => run.adjust({ load: 0.5, profile: 'stedy' })).toThrow(/no profile stedy; the plan has steady/);
  expect(() => run.adjust({ load: 2 })).toThrow(/run a plan with more clients/);
  run.stop('user', 'now');
  await run.finished;
}, 40_000);

test('a broken threshold with abortOnFail stops the run, and the verdict is failed', async () => {
  const { controller } = await bench();
  const check = {
    text: 'throughput > 1000/s',
    metric: 'throughput',
    labels: {},
    comparison: '>' as const,
    value: 1000,
  };
  const run = controller.submit(testPlan([30], { thresholds: [{ check, abortOnFail: true, afterMs: 1500 }] }), {
    command: 'test',
    workers: 1,
  });
  const finished = await run.finished;
  expect(finished).toMatchObject({ stopped: 'threshold', verdict: { kind: 'failed' } });
  expect(await eventsOf(run)).toContainEqual(
    expect.objectContaining({ type: 'threshold.broken', check: check.text, abort: true }),
  );
}, 40_000);

test('a lost worker that returns is waited for again, and none of its measurements is missing', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([4], { onWorkerLoss: 'continue' }), { command: 'test', workers: 2 });
  await reached(run, (event) => event.type === 'stage.started');
  platform.children[1]?.kill('SIGSTOP');
  await reached(run, (event) => event.type === 'worker.lost');
  platform.children[1]?.kill('SIGCONT');
  await run.finished;
  expect((await eventsOf(run)).filter((event) => event.type === 'worker.finished')).toHaveLength(2);
  expect(await operations(run.folder)).toBe(400);
}, 40_000);

test('a lost worker that returns after its slots were moved is stopped, and its batches still count', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([5], { onWorkerLoss: 'replace' }), { command: 'test', workers: 2 });
  await reached(run, (event) => event.type === 'stage.started');
  platform.children[1]?.kill('SIGSTOP');
  const moved = await reached(run, (event) => event.type === 'slots.moved');
  platform.children[1]?.kill('SIGCONT');
  await run.finished;
  const ended = (await eventsOf(run)).flatMap((event) =>
    event.type === 'worker.finished' ? [[event.workerId, event.reason]] : [],
  );
  expect(Object.fromEntries(ended)).toEqual(
    moved.type === 'slots.moved' ? { [moved.from]: 'stopped', [moved.to]: 'finished' } : {},
  );
}, 40_000);

test('a stop before the load ends the programs, and no load is assigned', async () => {
  const { controller, platform } = await bench();
  const run = controller.submit(testPlan([30]), { command: 'test', workers: 1 });
  await reached(run, (event) => event.type === 'program.started');
  run.stop('interrupt', 'drain', 'Ctrl-C');
  expect(await run.finished).toMatchObject({
    verdict: { kind: 'incomplete' },
    stopped: 'interrupt',
    failure: undefined,
  });
  expect(platform.children.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL']);
  expect((await eventsOf(run)).some((event) => event.type === 'run.started')).toBe(false);
});

test('closing the controller stops active and queued runs, each with a verdict', async () => {
  const { controller } = await bench();
  const runs = [1, 2].map(() => controller.submit(testPlan([30]), { command: 'test', workers: 1 }));
  const [first] = runs;
  if (first) await reached(first, (event) => event.type === 'stage.started');
  await controller.close();
  for (const run of runs)
    expect(await run.finished).toMatchObject({ verdict: { kind: 'incomplete' }, stopped: 'shutdown' });
  expect(() => controller.submit(testPlan([1]), { command: 'test' })).toThrow(/shutting down/);
}, 40_000);

test('a report that cannot be written is a problem in addition to the verdict', async () => {
  const { controller } = await bench({ writeReport: () => Promise.reject(new Error('disk full')) });
  const finished = await controller.submit(testPlan([1]), { command: 'test', workers: 1 }).finished;
  expect(finished).toMatchObject({
    verdict: { kind: 'passed' },
    problems: ['the report could not be written: disk full'],
  });
}, 40_000);
