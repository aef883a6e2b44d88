import type { Contestant } from './contestants.js';
import { median } from './median.js';
import { table } from './table.js';

export interface RoundResult {
  readonly name: string;
  readonly round: number;
  readonly requests: number;
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  readonly perCpuSecond: number;
}

interface SummaryRow {
  readonly name: string;
  readonly note: string;
  /** Median of the rounds. */
  readonly perCpuSecond: number;
  /** Median of the ratios within each round, so that a slow minute of the machine falls on both; and their range. */
  readonly toWrk: number;
  readonly toWrkRange: readonly [number, number];
  readonly userShare: number;
}

export function summarise(contestants: readonly Contestant[], results: readonly RoundResult[]): readonly SummaryRow[] {
  const wrk = new Map(
    results.filter(({ name }) => name === 'wrk').map(({ round, perCpuSecond }) => [round, perCpuSecond]),
  );
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
    name,
    Math.round(perCpuSecond).toLocaleString('en'),
    toWrk.toFixed(2),
    `${low.toFixed(2)}-${high.toFixed(2)}`,
    `${Math.round(userShare * 100)} %`,
    note,
  ]);
  return table([['client', 'answers per cpu-s', 'to wrk', 'range', 'user', 'load'], ...lines]);
}
