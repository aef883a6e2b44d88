const FIRST_MS = 100;
/** More doublings are beyond any limit; this keeps the power finite. */
const MAX_DOUBLINGS = 16;

/**
 * How long to wait before the next attempt, milliseconds: 100 ms, doubled with each failure up to `maxMs`, times
 * `factor`, with which callers spread their attempts so that a thousand clients do not come back at once.
 *
 * @param failures waits since the last success before this one, from 0
 */
export function backoffMs(failures: number, maxMs: number, factor: number): number {
  return Math.min(maxMs, FIRST_MS * 2 ** Math.min(failures, MAX_DOUBLINGS)) * factor;
}
