/**
 * `npm run bench:controller [-- --workers 50,200 --seconds 20]`: what telemetry costs the controller. A fresh one
 * for each number of workers, on one core; the workers are simulated on the other (`simulated-workers.ts`). Prints
 * processor time, memory and acknowledgements, how they grow, and the goals. Needs two cores and `taskset`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../support/package-root.js';
import { table } from './table.js';

const controllerCore = '0';
const workersCore = '1';
/** The controller's heap, so that 512 MiB hold it with its buffers. */
const heapMiB = 320;

interface Measured {
  readonly workers: number;
  readonly batches: number;
  readonly missing: number;
  readonly cores: number;
  readonly msPerBatch: number;
  readonly batchBytes: number;
  readonly memoryMiB: number;
  readonly acknowledgement: { readonly p50: number; readonly p99: number };
  readonly heartbeat: { readonly p99: number };
  readonly verdict: string;
  readonly problems: Readonly<Record<string, number>>;
}

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '50,200,500,1000' },
    seconds: { type: 'string', default: '20' },
  },
});

async function measure(workers: number, seconds: string): Promise<Measured> {
  const results = mkdtempSync(join(tmpdir(), 'swarmbench-bench-'));
  const serve = [join(packageRoot, 'dist/harness/cli/main.js'), 'serve', '--port', '0', '--out', results];
  const controller = pinned(controllerCore, [`--max-old-space-size=${heapMiB}`, ...serve]);
  try {
    const url = await listeningAt(controller);
    const simulator = join(packageRoot, 'dist/tests/bench/simulated-workers.js');
    const workersProgram = pinned(workersCore, [simulator, url, String(workers), seconds, String(controller.pid)]);
    const output = await outputOf(workersProgram);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Measured;
  } finally {
    controller.kill('SIGKILL');
    await once(controller, 'exit').catch(() => undefined);
    rmSync(results, { recursive: true, force: true });
  }
}

/** `taskset` becomes the program, so its process id is the program's. */
function pinned(core: string, args: readonly string[]): ChildProcess {
  return spawn('taskset', ['-c', core, process.execPath, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function listeningAt(controller: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    controller.once('exit', () => reject(new Error(`the controller did not start: ${text}`)));
    controller.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /listens on (\S+?),/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

async function outputOf(program: ChildProcess): Promise<string> {
  let text = '';
  program.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(program, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the simulated workers ended with ${code}:\n${text}`);
  return text;
}

function rows(results: readonly Measured[]): string[][] {
  const first = results[0];
  return results.map((one) => [
    String(one.workers),
    one.msPerBatch.toFixed(2),
    one.cores.toFixed(2),
    String(one.memoryMiB),
    String(one.acknowledgement.p50),
    String(one.acknowledgement.p99),
    String(one.heartbeat.p99),
    first === undefined ? '' : `x${(one.msPerBatch / first.msPerBatch).toFixed(2)}`,
    first === undefined ? '' : `x${(one.memoryMiB / first.memoryMiB).toFixed(2)}`,
    [
      `${one.verdict}, ${one.batches} batches`,
      ...(one.missing > 0 ? [`${one.missing} not acknowledged`] : []),
      ...Object.entries(one.problems).map(([problem, times]) => `${times} x ${problem}`),
    ].join('; '),
  ]);
}

function goals(results: readonly Measured[]): string {
  const most = results.reduce((largest, one) => (one.workers > largest.workers ? one : largest));
  const fewest = results.reduce((smallest, one) => (one.workers < smallest.workers ? one : smallest));
  const growth = most.msPerBatch / fewest.msPerBatch;
  const lines: readonly (readonly [string, string, string, boolean])[] = [
    ['cores', most.cores.toFixed(2), 'below 1', most.cores < 1],
    ['memory, MiB', String(most.memoryMiB), 'below 512', most.memoryMiB < 512],
    ['acknowledged at p99, ms', String(most.acknowledgement.p99), 'below 1000', most.acknowledgement.p99 < 1000],
    ['processor time a batch, to the fewest workers', `x${growth.toFixed(2)}`, 'at most x1.10', growth <= 1.1],
    ['not acknowledged', String(most.missing), '0', most.missing === 0],
  ];
  return table([
    [`${most.workers} workers`, 'measured', 'goal', ''],
    ...lines.map(([what, measured, goal, met]) => [what, measured, goal, met ? 'met' : 'missed']),
  ]);
}

const results: Measured[] = [];
for (const workers of options.workers.split(',').map(Number)) results.push(await measure(workers, options.seconds));
const head = ['workers', 'ms a batch', 'cores', 'MiB', 'ack p50', 'ack p99', 'beat p99', 'time', 'memory', 'run'];
process.stdout.write(`Batches of ${results[0]?.batchBytes ?? 0} bytes, one a second for each worker; ms.\n\n`);
process.stdout.write(`${table([head, ...rows(results)])}\n\n${goals(results)}\n`);
