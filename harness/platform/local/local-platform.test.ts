/**
 * The local platform with real processes. The programs are small ones written for the test, because what is looked at
 * is starting, finding, measuring and ending; the real ones run in `tests/runs`.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Plan, TargetPlan } from '../../../scenarios/schema/plan.js';
import { hasProc, readText } from './proc.js';
import {
  endPrograms,
  type ProcessHost,
  type Program,
  type ProgramSpec,
  startProgram,
  waitUntilHealthy,
  waitUntilListening,
} from './program.js';
import { planRefusals } from './refusals.js';
import { threadsFor } from './worker-count.js';

const host: ProcessHost = {
  execPath: process.execPath,
  platform: process.platform,
  env: process.env,
  kill(pid, signal) {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
};
const signal = new AbortController().signal;
let folder: string;
let programs: Program[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarmbench-local-'));
  programs = [];
});
afterEach(async () => {
  await endPrograms(programs, host);
  rmSync(folder, { recursive: true, force: true });
});

async function start(source: string, extra: Partial<ProgramSpec> = {}): Promise<Program> {
  const entry = join(folder, `program-${programs.length}.mjs`);
  writeFileSync(entry, source);
  const program = await startProgram(
    {
      role: 'target',
      name: 'target-1',
      entry,
      args: [],
      env: {},
      logFile: join(folder, 'logs', `${programs.length}.log`),
      ...extra,
    },
    host,
  );
  programs.push(program);
  return program;
}

/** A zombie does not count as running: it is reaped by the first process of the machine, sooner or later. */
function isRunning(pid: number): boolean {
  if (!host.kill(pid, 0)) return false;
  return !hasProc || !/\) Z /.test(readText(`/proc/${pid}/stat`) ?? ') Z ');
}

const HEALTHY_AFTER_3 = `
import { createServer } from 'node:http';
let asked = 0;
const server = createServer((request, response) => {
  response.statusCode = request.url === '/healthz' && ++asked > 2 ? 200 : 503;
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  console.log('some other line');
  const url = 'http://127.0.0.1:' + server.address().port + '/mcp';
  console.log(JSON.stringify({ listening: { url, endpoints: {} } }));
});`;

describe('a program', () => {
  test('is found by the line it prints, becomes healthy, and ends without leaving anything', async () => {
    const program = await start(HEALTHY_AFTER_3);
    const { url } = await waitUntilListening(program, 10_000, signal);
    expect(url.pathname).toBe('/mcp');
    await waitUntilHealthy(program, url, 10_000, signal);
    expect(await endPrograms(programs, host)).toEqual([]);
    expect(program.exit()).toBe('SIGTERM');
    expect(host.kill(program.pid, 0)).toBe(false);
  });

  test('that ends before it listens is reported with its exit code and its last output', async () => {
    const program = await start('console.error("no config"); process.exit(3);', { name: 'reference-2' });
    await expect(waitUntilListening(program, 10_000, signal)).rejects.toMatchObject({
      code: 'DEPLOY_START',
      message: expect.stringMatching(
        /^reference-2: ended with exit code 3 before it listened; its last output:\n {4}no config$/,
      ),
      hint: expect.stringContaining(folder),
    });
  });

  test('that does not listen within its budget is reported', async () => {
    const program = await start('setInterval(() => {}, 1000);');
    await expect(waitUntilListening(program, 200, signal)).rejects.toMatchObject({
      message: 'target-1: not listening after 0.2 s',
    });
  });

  test('that ignores SIGTERM, and what it started, are killed', async () => {
    const program = await start(`
      import { spawn } from 'node:child_process';
      process.on('SIGTERM', () => {});
      const source = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
      const child = spawn(process.execPath, ['-e', source], { stdio: 'ignore' });
      console.log(child.pid);
      setInterval(() => {}, 1000);`);
    await sleep(500);
    const grandchild = Number(readFileSync(program.logFile, 'utf8'));
    expect(host.kill(grandchild, 0)).toBe(true);
    expect(await endPrograms(programs, host)).toEqual([]);
    while (isRunning(grandchild)) await sleep(20);
  }, 20_000);

  test('gets its secrets by environment and is in a process group of its own', async () => {
    const program = await start('console.log(process.env.SECRET); setInterval(() => {}, 1000);', {
      env: { SECRET: 'x' },
    });
    while (!readFileSync(program.logFile, 'utf8').includes('\n')) await sleep(20);
    expect(readFileSync(program.logFile, 'utf8')).toBe('x\n');
    expect(host.kill(-program.pid, 0)).toBe(true);
  });
});

describe('the local platform', () => {
  const planWith = (target: Partial<TargetPlan>, clients = 100): Plan =>
    ({
      target: { kind: 'reference', replicas: 1, sticky: 'session', era: 'auto', ...target },
      profiles: [{ clients }],
      faults: [],
    }) as unknown as Plan;

  test.each([
    [{ sticky: 'session', replicas: 3 }, 0],
    [{ sticky: 'none', replicas: 1 }, 0],
    [{ sticky: 'none', replicas: 2 }, 1],
    [{ sticky: 'cookie', replicas: 1 }, 1],
    [{ sticky: 'source', replicas: 2 }, 1],
    [{ kind: 'url', urls: ['http://127.0.0.1:1/mcp'], headers: {} }, 0],
  ] as const)('for target %j it refuses %i things', (target, count) => {
    expect(planRefusals(planWith(target as Partial<TargetPlan>))).toHaveLength(count);
  });

  test.each([
    { workers: 1, cores: 2, replicas: 1, clients: 100, threads: 1 },
    { workers: 1, cores: 8, replicas: 2, clients: 100, threads: 6 },
    { workers: 2, cores: 8, replicas: 2, clients: 100, threads: 3 },
    { workers: 1, cores: 8, replicas: 1, clients: 3, threads: 3 },
    { workers: 4, cores: 2, replicas: 1, clients: 100, threads: 1 },
  ])(
    'gives each worker one thread for every core that is free: %j',
    ({ workers, cores, replicas, clients, threads }) => {
      expect(threadsFor(planWith({ replicas }, clients), workers, cores)).toBe(threads);
    },
  );
});
