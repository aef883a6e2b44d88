import { setTimeout as sleep } from 'node:timers/promises';

interface PollOptions {
  readonly everyMs: number;
  readonly withinMs: number;
  /** The error to throw when the time is over. */
  readonly late: () => Error;
}

/**
 * Calls `look` until it returns something, at least once, and returns that.
 * @param look returns undefined or false as long as there is nothing; what it throws ends the polling
 * @throws the error of `late`; the reason of `signal` when it aborts
 */
export async function pollUntil<Result>(
  look: () => Promise<Result | false | undefined> | Result | false | undefined,
  { everyMs, withinMs, late }: PollOptions,
  signal: AbortSignal,
): Promise<Result> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const result = await look();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > giveUpAt) throw late();
    await sleep(everyMs, undefined, { signal });
  }
}
