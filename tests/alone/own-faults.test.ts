import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { RunEvent } from '../../harness/log/events.js';
import { rightly } from '../servers/behaviours.js';
import { startTestServer } from '../servers/test-server.js';
import { once } from '../support/once.js';
import { isAlive, type Program, startProgram } from '../support/program.js';
import { eventsOf, type RunFiles, readEvents, readRun, runFolder, totalOf } from '../support/run-files.js';
import { type ScenarioFile, simpleScenario, startRun } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

const seconds = 8;
const clients = 4;
const steady = { clients, arrivals: { rate: '25/s' }, connections: 1 };

/** Of the run that is going on in a results folder. */
function liveEvents(results: string): readonly RunEvent[] {
  try {
    return readEvents(runFolder(results));
  } catch {
    return [];
  }
}

interface AfterKill extends RunFiles {
  readonly code: number | NodeJS.Signals;
  /** From the kill to the event, seconds. */
  readonly noticedAfter: number | undefined;
  /** Calls the server saw in the last two seconds of load, a second. */
  readonly lateRate: number;
  /** Calls of the worker that was killed. */
  readonly ofVictim: number;
}

/** The runs with a killed worker mostly wait, so that all of them are made at the same time. */
const killedWorkers = once(async () => {
  const [fail, replace, continued] = await Promise.all([
    killOneWorker('fail'),
    killOneWorker('replace'),
    killOneWorker('continue'),
  ]);
  return { fail, replace, continued };
});

/** A run with two workers, of which one is killed two seconds into the load. */
async function killOneWorker(onWorkerLoss: string): Promise<AfterKill> {
  const { url, log } = await startTestServer({ behaviour: rightly });
  const { program, results } = startRun({
    scenario: simpleScenario(steady, seconds, { onWorkerLoss }),
    target: url,
    args: ['--workers', '2'],
  });
  await until('the load', () => log.calls.length > 2 * 25 * clients);
  const [victim] = eventsOf(liveEvents(results), 'worker.registered');
  if (victim === undefined) throw new Error('no worker registered');
  process.kill(victim.worker.pid, 'SIGKILL');
  const killedAt = Date.now();
  const code = await program.ended;
  const files = readRun(results);
  const lost = eventsOf(files.events, 'worker.lost').find(({ workerId }) => workerId === victim.workerId);
  const lastAt = log.calls.at(-1)?.atMs ?? 0;
  const others = files.telemetry.filter(({ workerId }) => workerId !== victim.workerId);
  const lateRate = log.calls.filter(({ atMs }) => atMs > lastAt - 2_000).length / 2;
  return {
    ...files,
    code,
    noticedAfter: lost === undefined ? undefined : (Date.parse(lost.at) - killedAt) / 1000,
    lateRate,
    ofVictim: log.calls.length - totalOf(others, 'sent'),
  };
}

describe('a worker that is killed in mid-run', () => {
  test('is noticed within 5 s, and with `fail` ends the run as incomplete', async () => {
    const { code, report, events, noticedAfter } = (await killedWorkers()).fail;
    expect(noticedAfter).toBeLessThan(5);
    expect([code, report.verdict.kind]).toEqual([4, 'incomplete']);
    expect(eventsOf(events, 'stop.requested').map(({ reason }) => reason)).toEqual(['worker-loss']);
  });

  test('gives its clients to the others with `replace`', async () => {
    const { code, report, events, noticedAfter, lateRate } = (await killedWorkers()).replace;
    expect(noticedAfter).toBeLessThan(5);
    const moved = eventsOf(events, 'slots.moved').flatMap(({ slots }) => slots);
    expect(moved.reduce((sum, { count }) => sum + count, 0)).toBe(clients / 2);
    expect(lateRate).toBeGreaterThan(0.85 * 25 * clients);
    expect(eventsOf(events, 'stop.requested')).toEqual([]);
    expect([0, 4]).toContain(code);
    expect(report.verdict.reasons.length > 0).toBe(code === 4);
  });

  test('leaves the load reduced with `continue`, and no green verdict', async () => {
    const { code, report, events, noticedAfter, lateRate, ofVictim } = (await killedWorkers()).continued;
    expect(noticedAfter).toBeLessThan(5);
    expect(eventsOf(events, 'slots.moved')).toEqual([]);
    expect(eventsOf(events, 'stop.requested')).toEqual([]);
    expect(lateRate).toBeGreaterThan(0.35 * 25 * clients);
    expect(lateRate).toBeLessThan(0.65 * 25 * clients);
    expect([code, report.verdict.kind]).toEqual([4, 'invalid']);
    expect(report.verdict.reasons.join()).toMatch(/worker \S+ was lost after .* the load went on without its clients/);
    const [, least, most] = /it sent between (\d+) and (\d+) operations/.exec(report.notes.join()) ?? [];
    expect(Number(least)).toBeGreaterThan(0);
    expect(ofVictim).toBeGreaterThanOrEqual(Number(least));
    expect(ofVictim).toBeLessThanOrEqual(Number(most));
  });
});

describe('a controller that is killed in mid-run', () => {
  test('and started again on the same results folder adopts the run, and not one answer is missing', async () => {
    const { url: target, log } = await startTestServer({ behaviour: rightly });
    const results = join(tempFolder(), 'results');
    const first = await serve(results, '0');
    const workers = [1, 2].map(() =>
      startProgram('harness/cli/main.js', ['worker', '--controller', first.url, '--threads', '1']),
    );
    await until(
      'both workers',
      async () => (await get<{ workers: unknown[] }>(`${first.url}/workers`)).workers.length === 2,
    );
    const runId = await submit(first.url, simpleScenario(steady, seconds, { target: { server: { url: target } } }));
    await until('the load', () => log.calls.length > 2 * 25 * clients);
    first.program.kill('SIGKILL');
    await first.program.ended;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const second = await serve(results, new URL(first.url).port);
    await until(
      'the end of the run',
      async () => (await get<{ state: { kind: string } }>(`${second.url}/runs/${runId}`)).state.kind === 'finished',
    );
    const { events, telemetry, report } = readRun(results);
    expect(eventsOf(events, 'run.adopted')).toHaveLength(1);
    expect(totalOf(telemetry, 'sent')).toBe(log.calls.length);
    expect(totalOf(telemetry, 'succeeded')).toBe(log.calls.length);
    expect(report.summary.succeeded).toBe(log.calls.length);
    // Nobody stopped: the load went on while there was no controller.
    expect(log.calls.length).toBeGreaterThan(0.95 * 25 * clients * seconds);
    for (const worker of [...workers, second.program]) worker.kill('SIGTERM');
  });
});

describe('a `run` that is killed in mid-run', () => {
  test('is finished by a controller on its results folder, and nothing is left of it', async () => {
    const { url, log } = await startTestServer({ behaviour: rightly });
    const { program, results } = startRun({
      scenario: simpleScenario(steady, seconds),
      target: url,
      args: ['--workers', '2'],
    });
    await until('the load', () => log.calls.length > 2 * 25 * clients);
    program.kill('SIGKILL');
    await program.ended;
    const { program: controller } = await serve(results, '0');
    await controller.wrote(/^finished /m);
    const { events, telemetry, report } = readRun(results);
    expect(eventsOf(events, 'run.adopted')).toHaveLength(1);
    expect(totalOf(telemetry, 'succeeded')).toBe(log.calls.length);
    expect(report.summary.succeeded).toBe(log.calls.length);
    const programs = eventsOf(events, 'program.started').map(({ program: { pid } }) => pid);
    expect(programs).toHaveLength(2);
    await until('the workers to end', () => programs.every((pid) => !isAlive(pid)));
    controller.kill('SIGTERM');
    expect(await controller.ended).toBe(0);
  });
});

async function serve(results: string, port: string): Promise<{ readonly program: Program; readonly url: string }> {
  const program = startProgram('harness/cli/main.js', ['serve', '--port', port, '--out', results]);
  const [url] = await program.wrote(/http:\/\/127\.0\.0\.1:\d+/);
  return { program, url };
}

async function submit(controller: string, scenario: ScenarioFile): Promise<string> {
  const answer = await fetch(`${controller}/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario: JSON.stringify(scenario, null, 2), registeredWorkers: 2 }),
  });
  const body: unknown = await answer.json();
  if (answer.status !== 201) throw new Error(`POST /runs: ${answer.status} ${JSON.stringify(body)}`);
  return (body as { runId: string }).runId;
}

async function get<Body>(url: string): Promise<Body> {
  return (await (await fetch(url)).json()) as Body;
}
