/** What the arms of a run add, as text: for the page, Markdown and the terminal. */
import { formatMs, significant } from '../../../analysis/format.js';
import type { ArmsData, OverheadRow } from './schema.js';

/** A quantile with fewer operations beyond it than this says little. */
const LEAST_BEYOND = 100;

export function areFew({ beyond }: OverheadRow): boolean {
  return beyond < LEAST_BEYOND;
}

/** `+3.1 ms (+2.9 ms to +3.4 ms)`. */
export function addedText({ addedMs: { value, low, high } }: OverheadRow): string {
  return spanText(value, low, high, signedMs);
}

/** `+120 % (+110 % to +131 %)`. */
export function shareText({ addedShare: { value, low, high } }: OverheadRow): string {
  return spanText(value, low, high, (share) => `${sign(share)}${significant(Math.abs(share) * 100)} %`);
}

function spanText(value: number, low: number | null, high: number | null, text: (value: number) => string): string {
  return low === null || high === null
    ? `${text(value)}, no interval`
    : `${text(value)} (${text(low)} to ${text(high)})`;
}

export function signedMs(ms: number): string {
  return `${sign(ms)}${formatMs(Math.abs(ms))}`;
}

function sign(value: number): string {
  return value < 0 ? '-' : '+';
}

/** `latency p95`, `connect p50`, `latency p95 of search`. */
export function overheadOf({ of, statistic, operation }: OverheadRow): string {
  return `${of} ${statistic}${operation === null ? '' : ` of ${operation}`}`;
}

export function chanceText({ p, addedMs }: OverheadRow): string {
  if (addedMs.low === null) return '–';
  return p < 0.001 ? '< 0.1 %' : `${significant(p * 100)} %`;
}

export function blocksText({ base, blocks: { planned, complete } }: ArmsData): string {
  const left = complete === planned ? '' : ` (of ${planned}; the others were not measured to their end)`;
  return `against ${base}, over ${complete} blocks${left}`;
}

/** What an interval over blocks covers, and what it does not. */
export const COVERAGE =
  'The arms took turns in each block, so that what drifts strikes all of them. The intervals of 95 % are over ' +
  'blocks: they hold for these servers as they were started now. A fresh start may move them; compare several runs ' +
  'to see that.';
