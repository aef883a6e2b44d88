/**
 * `npm run bench:long-run [-- --hours 24]`: what a long run of one worker costs. Writes its log (two profiles with two
 * operations each, 50 calls a second of each, usage every second), renders its report in a process of its own, and adds
 * the same batches to what a controller keeps of a run. Prints processor time, memory, and the size of `report.json`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PROTOCOL } from '../../client-sim/protocol/messages.js';
import { RunAggregate } from '../../harness/analysis/merge/aggregate.js';
import type { RunEventBody } from '../../harness/log/events.js';
import { TelemetryLog } from '../../harness/log/telemetry-log.js';
import { writeReport } from '../../harness/report/write-report.js';
import { check, samplePlan, sampleProfile, sampleStage, threshold } from '../support/analysis/sample-plan.js';
import { sampleEvents } from '../support/analysis/sample-run.js';
import { callsASecond, simulatedContent } from './simulated-batches.js';
import { table } from './table.js';

const load = { profiles: ['chat', 'search'], operations: ['first', 'second'] };
const runId = 'long-run';

function planOf(seconds: number) {
  return samplePlan({
    profiles: load.profiles.map((name, at) =>
      sampleProfile({
        name,
        firstSlot: at,
        clients: 1,
        arrivals: { model: 'open', ratePerSecond: load.operations.length * callsASecond, spacing: 'uniform' },
        operations: load.operations.map((operation) => ({
          name: operation,
          method: 'tools/call',
          params: { kind: 'constant', json: '{}' },
          target: operation,
          weight: 1,
        })),
      }),
    ),
    stages: [sampleStage({ index: 0, name: 'steady', startMs: 0, durationMs: seconds * 1000 })],
    thresholds: [threshold(check('errors.rate', '<', 0.01)), threshold(check('latency.p95', '<', 10_000))],
    stopWhen: [{ check: check('errors.rate', '>', 0.5), windowMs: 30_000 }],
  });
}

const contents = Array.from({ length: 64 }, (_, variant) => simulatedContent(load, variant));

function batchOf(second: number, seconds: number) {
  const content = contents[second % contents.length] ?? contents[0];
  if (content === undefined) throw new Error('no contents');
  return {
    protocol: PROTOCOL as 1,
    runId,
    sequence: second + 1,
    fromMs: second * 1000,
    toMs: (second + 1) * 1000,
    stage: 0,
    ...content,
    ...(second === seconds - 1 ? { final: { reason: 'finished' as const } } : {}),
  };
}

async function writeLog(folder: string, seconds: number): Promise<number> {
  const usage = (second: number): RunEventBody => ({
    type: 'usage',
    atMs: second * 1000,
    samples: [
      { id: 'replica-1', role: 'target', cpu: 0.5 + (second % 60) / 100, memoryBytes: 5e7 + (second % 600) * 1e5 },
      { id: 'w1', role: 'worker', cpu: 0.2, memoryBytes: 8e7 },
    ],
  });
  const path = join(folder, 'events.jsonl');
  writeFileSync(path, '');
  const head = sampleEvents(planOf(seconds), [], 1);
  const step = 3600;
  for (const event of head.slice(0, -1)) appendFileSync(path, `${JSON.stringify(event)}\n`);
  for (let from = 0; from < seconds; from += step) {
    const many = Array.from({ length: Math.min(step, seconds - from) }, (_, at) =>
      JSON.stringify({ seq: head.length + from + at, at: head.at(-2)?.at, ...usage(from + at) }),
    );
    appendFileSync(path, `${many.join('\n')}\n`);
  }
  appendFileSync(path, `${JSON.stringify({ ...head.at(-1), seq: head.length + seconds })}\n`);
  const log = await TelemetryLog.create(join(folder, 'telemetry.jsonl'));
  let bytes = 0;
  for (let second = 0; second < seconds; second += 200) {
    const part = Array.from({ length: Math.min(200, seconds - second) }, (_, at) => batchOf(second + at, seconds));
    const sizes = await Promise.all(
      part.map((batch) => log.append({ workerId: 'w1', receivedAt: new Date(0).toISOString(), batch })),
    );
    bytes += sizes.reduce((sum, size) => sum + size, 0);
  }
  await log.close();
  return bytes;
}

interface Cost {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

function costSince({ user, system }: NodeJS.CpuUsage): Cost {
  const spent = process.cpuUsage();
  const cpuSeconds = (spent.user - user + spent.system - system) / 1e6;
  return { cpuSeconds, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) };
}

async function inChild<Result>(args: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, ['--expose-gc', ...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return JSON.parse(text) as Result;
}

/** The heap after each sixth of the run. */
async function keep(seconds: number): Promise<readonly number[]> {
  const aggregate = new RunAggregate(planOf(seconds));
  const heap: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    aggregate.add('w1', batchOf(second, seconds));
    if (second % 1000 === 0) await nextTurn();
    if ((second + 1) % Math.floor(seconds / 6) !== 0) continue;
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    heap.push(Math.round((heapUsed + arrayBuffers) / 1024 / 102.4) / 10);
  }
  return heap;
}

async function compare(hours: number): Promise<void> {
  const seconds = Math.round(hours * 3600);
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-long-run-'));
  try {
    const bytes = await writeLog(folder, seconds);
    const render = await inChild<Cost>(['--render', folder]);
    const kept = await inChild<readonly number[]>(['--keep', String(seconds)]);
    const reportMb = statSync(join(folder, 'report.json')).size / 1e6;
    const [first = 0, last = 0] = [kept[0], kept.at(-1)];
    process.stdout.write(
      `${hours} h of one worker: ${(bytes / 1e6).toFixed(0)} MB of log before compression.\n\n${table([
        ['', 'measured', 'goal for 24 h', ''],
        row('processor time to render, s', render.cpuSeconds, 20),
        row('memory to render, MiB', render.peakMiB, 300 / 1.048_576),
        row('report.json, MB', reportMb, 5),
        row('heap of the controller, last to first sixth', last / first, 1.1),
      ])}\n\nHeap of the controller after each sixth, MiB: ${kept.join(' ')}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, measured: number, goal: number): string[] {
  const digits = measured < 10 ? 2 : 0;
  return [what, measured.toFixed(digits), `below ${Number(goal.toFixed(1))}`, measured < goal ? 'met' : 'missed'];
}

const { values: options } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    render: { type: 'string' },
    keep: { type: 'string' },
  },
});

if (options.render !== undefined) {
  const before = process.cpuUsage();
  await writeReport(options.render);
  process.stdout.write(JSON.stringify(costSince(before)));
} else if (options.keep !== undefined) process.stdout.write(JSON.stringify(await keep(Number(options.keep))));
else await compare(Number(options.hours));
