import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CoreTime } from './core-time.js';
import { runMeasured } from './measured-command.js';
import { median } from './median.js';
import { table } from './table.js';

/** A load by the clock. */
interface PacedLoad {
  readonly clients: number;
  readonly ratePerSecond: number;
  readonly pacing: 'batch' | 'metronome';
  /** Of each client: room enough that what is measured is our pacing, and not how evenly the sink runs. */
  readonly inFlight: number;
  readonly lagP99GoalMs: number;
}

export const pacedLoads: readonly PacedLoad[] = [
  { clients: 20, ratePerSecond: 10_000, pacing: 'batch', inFlight: 256, lagP99GoalMs: 5 },
  { clients: 1, ratePerSecond: 10_000, pacing: 'batch', inFlight: 256, lagP99GoalMs: 2.5 },
  { clients: 1, ratePerSecond: 10_000, pacing: 'metronome', inFlight: 256, lagP99GoalMs: 0.5 },
];

/** One run; times in microseconds. */
export interface PacedRun {
  readonly offered: number;
  readonly requests: number;
  readonly failed: number;
  readonly dropped: number;
  readonly lost: number;
  readonly unsent: number;
  readonly lagUs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly loopUtilization: number;
  readonly cores: number;
  /**
   * Lag p99 of a metronome that sends nothing, just before and just after: the larger one, microseconds. Where that is
   * late, too, the lag is not ours.
   */
  readonly bareP99Us: number;
  /** What other programs took of the client's core meanwhile, in cores: with them on it the lag is theirs too. */
  readonly foreignCores: number;
}

export interface PacedResult {
  readonly load: PacedLoad;
  readonly runs: readonly PacedRun[];
}

export function titleOf({ clients, ratePerSecond, pacing }: PacedLoad): string {
  return `${clients} x ${ratePerSecond.toLocaleString('en')}/s, ${pacing}`;
}

/** All threads of the worker on one core. */
export async function runPaced(load: PacedLoad, core: number, url: string, seconds: number): Promise<PacedRun> {
  const program = fileURLToPath(new URL('engine-client.js', import.meta.url));
  const before = await bareP99Us(core);
  const time = new CoreTime(core);
  const { clients, inFlight, ratePerSecond, pacing } = load;
  const run = await runMeasured(core, [
    process.execPath,
    program,
    url,
    ...[clients, inFlight, seconds, ratePerSecond].map(String),
    pacing,
  ]);
  const { busySeconds, wallSeconds } = time.read();
  const bare = Math.max(before, await bareP99Us(core));
  return {
    ...(run as PacedRun & typeof run),
    cores: run.cpuSeconds / seconds,
    bareP99Us: bare,
    foreignCores: Math.max(0, busySeconds - run.totalCpuSeconds) / wallSeconds,
  };
}

async function bareP99Us(core: number): Promise<number> {
  const program = fileURLToPath(new URL('bare-metronome.js', import.meta.url));
  const { stdout } = await promisify(execFile)('taskset', ['-c', String(core), process.execPath, program, '1']);
  return (JSON.parse(stdout) as { readonly p99: number }).p99;
}

export function pacedTable(results: readonly PacedResult[]): string {
  const lines = results.flatMap(({ load, runs }) => {
    const p99 = median(runs.map(({ lagUs }) => lagUs.p99 / 1000));
    const title = titleOf(load);
    return [
      ...runs.map((run) => [
        title,
        run.offered.toLocaleString('en'),
        run.requests.toLocaleString('en'),
        String(run.failed + run.dropped + run.lost + run.unsent),
        ms(run.lagUs.p50),
        ms(run.lagUs.p99),
        ms(run.lagUs.max),
        ms(run.bareP99Us),
        run.cores.toFixed(2),
        run.foreignCores.toFixed(2),
        '',
      ]),
      [
        title,
        'median',
        '',
        '',
        '',
        `${p99.toFixed(2)} ms`,
        '',
        '',
        '',
        '',
        `lag p99 <= ${load.lagP99GoalMs} ms: ${p99 <= load.lagP99GoalMs ? 'met' : 'missed'}`,
      ],
    ];
  });
  return table([
    [
      'load',
      'offered',
      'correct',
      'not answered',
      'lag p50',
      'lag p99',
      'lag max',
      'bare p99',
      'cores',
      'others',
      'goal',
    ],
    ...lines,
  ]);
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}
