import type { Contestant } from './contestants.js';

export interface RoundResult {
  readonly name: string;
  readonly round: number;
  readonly requests: number;
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  readonly perCpuSecond: number;
}

export interface SummaryRow {
  readonly name: string;
  readonly note: string;
  /** Median of the rounds. */
  readonly perCpuSecond: number;
  /** Median of the ratios within each round, so that a slow minute of the machine falls on both; and their range. */
  readonly toWrk: number;
  readonly toWrkRange: readonly [number, number];
  readonly userShare: number;
}

/** One run of the engine by the clock; times in microseconds. */
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
}

export function summarise(contestants: readonly Contestant[], results: readonly RoundResult[]): readonly SummaryRow[] {
  const wrk = new Map(results.filter(({ name }) => name === 'wrk').map(({ round, perCpuSecond }) => [round, perCpuSecond]));
  return contestants.map(({ name, note }) => {
    const own = results.filter((result) => result.name === name);
    const ratios = own.map(({ round, perCpuSecond }) => perCpuSecond / (wrk.get(round) ?? Number.NaN));
    return {
      name,
      note,
      perCpuSecond: median(own.map(({ perCpuSecond }) => perCpuSecond)),
      toWrk: median(ratios),
      toWrkRange: [Math.min(...ratios), Math.max(...ratios)],
      userShare: median(own.map(({ userSeconds, cpuSeconds }) => userSeconds / cpuSeconds)),
    };
  });
}

export function ratioTable(rows: readonly SummaryRow[]): string {
  const lines = rows.map(({ name, note, perCpuSecond, toWrk, toWrkRange: [low, high], userShare }) => [
    name, Math.round(perCpuSecond).toLocaleString('en'), toWrk.toFixed(2), `${low.toFixed(2)}-${high.toFixed(2)}`, `${Math.round(userShare * 100)} %`, note,
  ]);
  return table([['client', 'answers per cpu-s', 'to wrk', 'range', 'user', 'load'], ...lines]);
}

export function pacedTable(runs: readonly PacedRun[], clients: number, rate: number, inFlight: number): string {
  const lines = runs.map((run) => [
    run.offered.toLocaleString('en'), run.requests.toLocaleString('en'), String(run.failed), String(run.dropped), String(run.lost + run.unsent),
    `${(run.lagUs.p50 / 1000).toFixed(2)} ms`, `${(run.lagUs.p99 / 1000).toFixed(2)} ms`, `${(run.lagUs.max / 1000).toFixed(1)} ms`, run.cores.toFixed(2), run.loopUtilization.toFixed(2),
  ]);
  const head = ['offered', 'correct', 'failed', 'dropped', 'lost or unsent', 'lag p50', 'lag p99', 'lag max', 'cores', 'loop'];
  return `${clients} clients at ${rate.toLocaleString('en')}/s each, up to ${inFlight} in flight\n${table([head, ...lines])}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 || column === row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd()).join('\n');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
