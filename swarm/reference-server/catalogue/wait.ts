import { performance } from 'node:perf_hooks';

/** Below this much left, turns of the event loop are counted instead of a timer. */
const fineMs = 1.5;

/**
 * Waits `ms` milliseconds, never less and, on an idle loop, some tens of microseconds more. A timer alone counts in
 * whole milliseconds of a cached clock and so fires up to one early or late, which a known truth cannot afford; the
 * price is a busy event loop in the last millisecond.
 * @returns the milliseconds really waited; shorter when the signal ended it
 */
export function wait(ms: number, signal?: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  const dueAt = startedAt + ms;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve(performance.now() - startedAt);
    };
    const turn = (): void => {
      if (signal?.aborted === true) return;
      const left = dueAt - performance.now();
      if (left <= 0) end();
      else if (left <= fineMs) setImmediate(turn);
      else timer = setTimeout(turn, left - fineMs);
    };
    if (signal?.aborted === true) end();
    else {
      signal?.addEventListener('abort', end, { once: true });
      turn();
    }
  });
}
