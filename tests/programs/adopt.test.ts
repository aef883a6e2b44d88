import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { isRunning } from '../../harness/controller/adopt/programs.js';
import { unfinishedRuns } from '../../harness/controller/adopt/unfinished.js';
import { readEvents } from '../../harness/log/event-log.js';
import type { RunEvent } from '../../harness/log/events.js';
import { isRunId } from '../../harness/log/run-id.js';
import { readTelemetry } from '../../harness/log/telemetry-log.js';

const resultsFolder = mkdtempSync(join(tmpdir(), 'swarmbench-adopt-'));
const processes: ChildProcess[] = [];

afterEach(async () => {
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  for (const program of (await events()).flatMap((event) =>
    event.type === 'program.started' ? [event.program] : [],
  )) {
    if (isRunning(program)) process.kill(program.pid, 'SIGKILL');
  }
  for (const name of readdirSync(resultsFolder)) rmSync(join(resultsFolder, name), { recursive: true, force: true });
});

afterAll(() => rmSync(resultsFolder, { recursive: true, force: true }));

interface Spawned {
  readonly child: ChildProcess;
  line(): Promise<Record<string, unknown>>;
}

function controller(...args: readonly string[]): Spawned {
  return controllerWith({}, args);
}

function controllerWith(env: Readonly<Record<string, string>>, args: readonly string[]): Spawned {
  const entry = fileURLToPath(new URL('./support/controller-process.js', import.meta.url));
  const child = spawn(process.execPath, [entry, resultsFolder, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  processes.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => JSON.parse((await lines.next()).value ?? 'null') as Record<string, unknown> };
}

function folder(): string | undefined {
  const name = readdirSync(resultsFolder).find(isRunId);
  return name && join(resultsFolder, name);
}

async function events(): Promise<readonly RunEvent[]> {
  const run = folder();
  return run && existsSync(join(run, 'events.jsonl')) ? (await readEvents(join(run, 'events.jsonl'))).events : [];
}

async function reached(type: RunEvent['type']): Promise<void> {
  while (!(await events()).some((event) => event.type === type)) await sleep(20);
}

async function kill({ child }: Spawned): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function operations(): Promise<number> {
  let sum = 0;
  for await (const { value } of readTelemetry(join(folder() ?? '', 'telemetry.jsonl')))
    sum += value.batch.series.reduce((all, series) => all + series.succeeded, 0);
  return sum;
}

test('a run adopted after its controller was killed neither loses an operation nor counts one twice', async () => {
  const first = controller('0', '5');
  const { port } = await first.line();
  await reached('stage.started');
  await sleep(1200);
  await kill(first);
  // A dying controller may leave half a line, which was never acknowledged.
  appendFileSync(join(folder() ?? '', 'telemetry.jsonl'), '{"workerId":"w1","receivedAt":"20');
  appendFileSync(join(folder() ?? '', 'events.jsonl'), '{"seq":');
  await sleep(800);
  const second = controller(String(port));
  expect(await second.line()).toMatchObject({
    port,
    problems: [],
    adopted: [{ controllerUrl: `http://127.0.0.1:${String(port)}` }],
  });
  expect(await second.line()).toMatchObject({ verdict: { kind: 'passed' }, problems: [] });
  // 10 clients, 10 a second, 5 s.
  expect(await operations()).toBe(500);
  const log = await events();
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(log.filter(({ type }) => type === 'run.adopted')).toHaveLength(1);
  expect(log.filter(({ type }) => type === 'worker.finished')).toHaveLength(2);
  expect(existsSync(join(folder() ?? '', 'secrets.json'))).toBe(false);
  for (const event of log) if (event.type === 'program.started') expect(isRunning(event.program)).toBe(false);
}, 120_000);

test('the loss policy applies to workers that do not return within their lease', async () => {
  const lease = { LEASE_MS: '3000' };
  const first = controllerWith(lease, ['0', '60', 'continue']);
  const { port } = await first.line();
  await reached('stage.started');
  await kill(first);
  for (const event of await events()) if (event.type === 'program.started') process.kill(event.program.pid, 'SIGKILL');
  const second = controllerWith(lease, [String(port)]);
  await second.line();
  expect(await second.line()).toMatchObject({ stopped: 'worker-loss', verdict: { kind: 'incomplete' } });
  expect((await events()).filter(({ type }) => type === 'worker.lost')).toHaveLength(2);
}, 120_000);

test('a run whose load had not begun ends as incomplete, and its programs are ended', async () => {
  const first = controller('0', '60');
  const { port } = await first.line();
  await reached('program.started');
  await kill(first);
  const programs = (await events()).flatMap((event) => (event.type === 'program.started' ? [event.program] : []));
  const begun = (await events()).some(({ type }) => type === 'run.started');
  const second = controller(String(port));
  await second.line();
  const finished = await second.line();
  if (!begun)
    expect(finished).toMatchObject({
      failure: { code: 'CONTROLLER_LOST', message: expect.stringContaining('before its load has begun') },
      verdict: { kind: 'incomplete' },
    });
  expect(programs.filter(isRunning)).toEqual([]);
}, 120_000);

function orders(): readonly string[] {
  return readFileSync(join(resultsFolder, 'faults.log'), 'utf8').trim().split('\n');
}

test.each([
  ['at its time when it is still on', '4000', 'time'],
  ['at once when its time is over', '2600', 'time'],
])(
  'the adopting controller undoes a fault of the killed one %s',
  async (_, to, reason) => {
    const first = controller('0', '8', 'fail', '1500', to);
    const { port } = await first.line();
    await reached('fault.settled');
    await kill(first);
    await sleep(1500);
    expect(orders()).toEqual(['f1 3 logged 1']);
    const second = controller(String(port));
    await second.line();
    expect(await second.line()).toMatchObject({ verdict: { kind: 'passed' }, problems: [] });
    // Injected again when its time is not over, which changes nothing; undone once.
    expect(orders().filter((order) => order.includes('back'))).toEqual(['f1 back to 1']);
    expect(orders().at(-1)).toBe('f1 back to 1');
    const log = await events();
    const types = log.map(({ type }) => type);
    expect(types.filter((type) => type === 'fault.started')).toHaveLength(1);
    expect(log.filter(({ type }) => type === 'fault.ended')).toMatchObject([{ reason }]);
    expect(types.indexOf('fault.undone')).toBeGreaterThan(types.indexOf('run.adopted'));
  },
  120_000,
);

test('a run that a living controller holds is not adopted', async () => {
  const first = controller('0', '60');
  await first.line();
  await reached('run.started');
  expect(await unfinishedRuns(resultsFolder)).toEqual({ runs: [], problems: [] });
  await kill(first);
  expect((await unfinishedRuns(resultsFolder)).runs).toHaveLength(1);
}, 120_000);
