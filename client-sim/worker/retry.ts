import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; ends early, without an error, when `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: true }).catch(() => undefined);
}

const FIRST_MS = 100;

/** Pauses between attempts: 100 ms doubling up to `longestMs`, each shortened by up to half by chance. */
export class Retry {
  private failures = 0;

  constructor(private readonly longestMs: number) {}

  succeeded(): void {
    this.failures = 0;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const longest = Math.min(this.longestMs, FIRST_MS * 2 ** this.failures++);
    await pause(longest * (1 - Math.random() / 2), signal);
  }
}
