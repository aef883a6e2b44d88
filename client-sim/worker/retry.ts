import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../load/backoff.js';

/** Pauses between attempts, each shortened by up to half at random. */
export class Retry {
  private failures = 0;

  constructor(private readonly maxMs: number) {}

  succeeded(): void {
    this.failures = 0;
  }

  async wait(signal: AbortSignal): Promise<void> {
    await pause(backoffMs(this.failures++, this.maxMs, 1 - Math.random() / 2), signal);
  }
}

/** Waits. Ends early, without an error, when `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: true }).catch(() => undefined);
}
