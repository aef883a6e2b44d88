import { setTimeout as sleep } from 'node:timers/promises';

/** Timers take 31 bits of milliseconds; a stage may be longer. */
const LONGEST_SLEEP_MS = 3_600_000;

/** Resolves at `at` of the given clock, or false at once when aborted. */
export async function until(at: number, now: () => number, signal: AbortSignal): Promise<boolean> {
  for (let leftMs = at - now(); leftMs > 0 && !signal.aborted; leftMs = at - now()) {
    await sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
  }
  return !signal.aborted;
}
