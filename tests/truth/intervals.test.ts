import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { describeWith, missingLinux } from '../support/needs.js';
import { buildRoot, packageRoot } from '../support/package-root.js';
import { listeningUrl, type Program, startCommand } from '../support/program.js';
import { eventsOf, type RunFiles, readEvents, readRun, runFolder } from '../support/run-files.js';
import { writeScenario } from '../support/swarmbench.js';
import { tempFolder } from '../support/temp-folder.js';
import { until } from '../support/until.js';

/**
 * The intervals of a report hold the truth, whatever disturbs the generator, and a run that was disturbed says so. The
 * truth comes from a server that knows from the kernel when each request was there. Nothing is judged against the
 * clock: what the server had and what the report says are compared with each other.
 */

const WARM_UP_SECONDS = 1;
const SECONDS = 5;
const CLIENTS = 10;

function scenario({ spacing = 'uniform', rate = 20 }: Load) {
  return {
    name: 'truth',
    workload: {
      clients: {
        profile: 'low-load',
        clients: CLIENTS,
        arrivals: { rate: `${rate}/s`, spacing },
        // Room for all that can wait in a freeze: then the whole latency is the server's, or ours.
        maxInFlight: 128,
        connections: 128,
        pipeline: 1,
        timeout: '20s',
        operations: [{ tool: 'work', arguments: { number: '{{ seq }}' } }],
      },
    },
    stages: [
      // Sessions and first connections are open before anything disturbs.
      { name: 'warm-up', duration: `${WARM_UP_SECONDS}s`, measured: false },
      { name: 'steady', duration: `${SECONDS}s` },
    ],
    drain: '20s',
    thresholds: ['errors.rate < 1%'],
  };
}

interface Load {
  readonly spacing?: 'uniform' | 'poisson';
  /** A second and client. */
  readonly rate?: number;
  /** What each call takes. */
  readonly serviceMs?: number;
}

/** Stands by while the measured stage runs. @returns when it has done its worst */
type Disturbance = (run: { readonly workerPid: number; readonly hasEnded: () => boolean }) => Promise<void>;

interface Placing {
  /** Goes before the command of the run, and so of its worker. */
  readonly run?: readonly string[];
  readonly server?: readonly string[];
}

const truthSchema = z.strictObject({
  shared: z.number(),
  calls: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
});

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 } as const;
type Quantile = keyof typeof quantiles;

const started: Program[] = [];
afterEach(async () => {
  for (const program of started.splice(0)) {
    program.kill('SIGKILL');
    await program.ended;
  }
});

function start(command: readonly string[]): Program {
  const program = startCommand(command);
  started.push(program);
  return program;
}

interface Measured extends RunFiles {
  /** Milliseconds of each measured call, sorted. */
  readonly least: readonly number[];
  readonly most: readonly number[];
}

async function measure(load: Load, disturb: Disturbance, { run = [], server = [] }: Placing = {}): Promise<Measured> {
  const program = join(packageRoot, 'tests', 'truth', 'timing-server.py');
  const url = await listeningUrl(start([...server, 'python3', program, String(load.serviceMs ?? 5)]));
  const results = join(tempFolder(), 'results');
  const main = join(buildRoot, 'harness', 'cli', 'main.js');
  const file = writeScenario(scenario(load));
  const runs = start([...run, process.execPath, main, 'run', file, '--target', `${url}/mcp`, '--out', results]);
  let over = false;
  const ended = runs.ended.finally(() => (over = true));
  await until('the measured stage begins', () => over || stagesStarted(results) > 1);
  const [registered] = eventsOf(readEvents(runFolder(results)), 'worker.registered');
  if (registered === undefined) throw new Error(`no worker: ${runs.stderr()}`);
  await disturb({ workerPid: registered.worker.pid, hasEnded: () => over });
  await ended;
  const truth = truthSchema.parse(await (await fetch(`${url}/truth`)).json());
  expect(truth.shared).toBe(0);
  const files = readRun(results);
  const { succeeded, sent } = files.report.summary;
  expect(sent).toBe(succeeded);
  // A client's operations are numbered; of even arrivals each client has as many in the warm-up.
  const measured =
    load.spacing === 'poisson'
      ? truth.calls.toSorted((a, b) => a[1] - b[1]).slice(-succeeded)
      : truth.calls.filter(([number]) => number >= WARM_UP_SECONDS * (load.rate ?? 20));
  expect(measured.length).toBe(succeeded);
  return {
    ...files,
    least: measured.map(([, , least]) => least).sort((a, b) => a - b),
    most: measured.map(([, , , most]) => most).sort((a, b) => a - b),
  };
}

function stagesStarted(results: string): number {
  try {
    return eventsOf(readEvents(runFolder(results)), 'stage.started').length;
  } catch {
    return 0;
  }
}

function at(sorted: readonly number[], name: Quantile): number {
  return sorted[Math.ceil(quantiles[name] * sorted.length) - 1] ?? Number.NaN;
}

/** Within 1 ms or 5 %: of latencies and of service times, since nothing had to wait for room. */
function expectTruthInside({ report: { summary }, least, most }: Measured): void {
  const intervals = {
    latency: [summary.latencyFloorMs, summary.latencyMs],
    service: [summary.serviceFloorMs, summary.serviceMs],
  };
  const outside = Object.entries(intervals).flatMap(([what, [floor, measured]]) =>
    (Object.keys(quantiles) as Quantile[]).flatMap((name) => {
      const truth = [at(least, name), at(most, name)] as const;
      const [low, high] = [floor?.[name] ?? Number.NaN, measured?.[name] ?? Number.NaN];
      const holds =
        low <= high &&
        low <= truth[1] + Math.max(1, 0.05 * truth[1]) &&
        high >= truth[0] - Math.max(1, 0.05 * truth[0]);
      return holds ? [] : [{ what, name, truth, interval: [low, high] }];
    }),
  );
  expect(outside).toEqual([]);
}

function said({ report }: RunFiles): string {
  return [...report.verdict.reasons, ...report.notes].join('\n');
}

/** A figure that is far from the truth has a note beside it that names who took the time. */
function expectNotSilent(measured: Measured): void {
  const { latencyMs } = measured.report.summary;
  const far = (Object.keys(quantiles) as Quantile[]).filter((name) => {
    const high = latencyMs[name] ?? Number.NaN;
    return high - at(measured.most, name) > Math.max(3, 0.2 * high);
  });
  if (far.length > 0) expect(said(measured)).toMatch(/Worker \S+ was |event loop of worker \S+ was /);
}

const nobody: Disturbance = async () => undefined;

/** Stops the worker process again and again. */
function freezes(times: number, forMs: number): Disturbance {
  return async ({ workerPid, hasEnded }) => {
    for (let time = 0; time < times && !hasEnded(); time++) {
      await pause(500);
      process.kill(workerPid, 'SIGSTOP');
      await pause(forMs);
      process.kill(workerPid, 'SIGCONT');
    }
  };
}

const HOG = `
  const share = Number(process.argv[1]);
  (function spin() {
    const end = performance.now() + share;
    while (performance.now() < end);
    if (share < 100) setTimeout(spin, 100 - share);
    else setImmediate(spin);
  })();`;

/** Other programs, each of which keeps a processor busy for so many of 100 ms. */
function hogs(count: number, percent = 100, placing: readonly string[] = []): Disturbance {
  return async () => {
    const others = Array.from({ length: count }, () =>
      start([...placing, process.execPath, '-e', HOG, String(percent)]),
    );
    await pause(SECONDS * 1_000);
    for (const other of others) other.kill('SIGKILL');
  };
}

/** The worker gets what a program on the same processor leaves over; the server has another one, where there is one. */
const [first = '0', last = first] = processors();
const pinned = ['taskset', '-c', first];
const starved: Placing = { run: [...pinned, 'nice', '-n', '19'], server: ['taskset', '-c', last] };

/** The numbers of the first and of the last processor that we may use. */
function processors(): readonly string[] {
  if (missingLinux !== undefined) return [];
  const numbers = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]?.match(/\d+/g);
  return numbers == null ? [] : [numbers[0], numbers.at(-1) as string];
}

function missingTools(): string | undefined {
  if (missingLinux !== undefined) return missingLinux;
  for (const tool of ['python3', 'taskset'])
    try {
      execFileSync(tool, ['--version'], { stdio: 'ignore' });
    } catch {
      return `there is no ${tool}`;
    }
  return undefined;
}

describeWith(missingTools(), 'the interval holds the truth', () => {
  test.each<[string, Load, Disturbance, Placing, RegExp | undefined]>([
    ['of a generator that nobody disturbs', {}, nobody, {}, undefined],
    ['of a server that answers at once', { serviceMs: 0 }, nobody, {}, undefined],
    ['of a worker beside three other programs', {}, hogs(3), {}, undefined],
    ['when other programs take all processors', {}, hogs(3 * availableParallelism()), {}, undefined],
    [
      'of Poisson arrivals beside other programs',
      { spacing: 'poisson', rate: 30 },
      hogs(availableParallelism() + 1),
      {},
      undefined,
    ],
    [
      'of a worker that gets what a busy program leaves over',
      {},
      hogs(1, 100, pinned),
      starved,
      /Worker \S+ was ready to run but had no processor for/,
    ],
    ['of a worker that a program hinders at times', {}, hogs(1, 30, pinned), starved, undefined],
    [
      'of a worker that is frozen again and again',
      {},
      freezes(4, 700),
      {},
      /Worker \S+ was stopped for .*something froze the process/,
    ],
  ])('%s', async (_, load, disturbance, placing, says) => {
    const measured = await measure(load, disturbance, placing);
    expectTruthInside(measured);
    expectNotSilent(measured);
    if (says !== undefined) expect(said(measured)).toMatch(says);
  });

  test('of a worker that is frozen once; the run is invalid, and says who did it and where it shows', async () => {
    const measured = await measure({}, freezes(1, 1_500));
    expectTruthInside(measured);
    const { verdict, summary } = measured.report;
    expect(verdict.kind).toBe('invalid');
    expect(verdict.reasons.join()).toMatch(/the generator's own: .*Worker \S+ was stopped for .* froze the process/);
    expect(verdict.reasons.join()).toMatch(/the arrivals of worker \S+ are not those of the plan/);
    expect(summary.latencyMs.max).toBeGreaterThan(1_000);
    expect(readFileSync(join(measured.folder, 'report.md'), 'utf8')).toMatch(
      /max \d+(?:\.\d+)? s \([\d.]+ m?s without the generator\)/,
    );
  });
});
