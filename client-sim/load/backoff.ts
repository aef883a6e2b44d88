const FIRST_MS = 100;
/** 100 ms doubled so often is beyond any limit; keeps the power finite. */
const MOST_DOUBLINGS = 16;

/**
 * How long to wait before the next attempt, milliseconds: 100 ms, doubled with each failure up to `longestMs`, times
 * `factor`, by which callers spread their attempts so that a thousand clients do not come back as one.
 *
 * @param failures attempts that failed in a row before this wait, from 0
 */
export function backoffMs(failures: number, longestMs: number, factor: number): number {
  return Math.min(longestMs, FIRST_MS * 2 ** Math.min(failures, MOST_DOUBLINGS)) * factor;
}
