import { backoffMs } from '../load/backoff.js';
import { mix32 } from '../mcp/draw.js';

const MAX_WAIT_MS = 5000;

/** Waits before the next attempt to connect to a server that refused a connection: 100 ms, doubling to 5 s. */
export class RetryTimer {
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;

  constructor(private readonly onElapsed: () => void) {}

  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  start(salt: number): void {
    const failures = this.failures++;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.onElapsed();
      },
      backoffMs(failures, MAX_WAIT_MS, spread(salt + this.failures)),
    );
  }

  succeeded(): void {
    this.failures = 0;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/**
 * How long to wait before a stream is opened again, milliseconds: at least what the server asked for (`retry:`);
 * otherwise 100 ms, doubling to 5 s with each attempt that failed.
 * @param retryMs -1: the server never asked for a wait
 * @param failures attempts since the stream was last open
 */
export function reconnectWaitMs(retryMs: number, failures: number, salt: number): number {
  const waitMs = backoffMs(failures, MAX_WAIT_MS, spread(salt + failures));
  if (retryMs < 0) return waitMs;
  return failures === 0 ? retryMs : Math.max(retryMs, waitMs);
}

/** Spreads waits by 25 % either way. */
function spread(salt: number): number {
  return 0.75 + (mix32(salt) >>> 0) / 2 ** 33;
}

/**
 * `Retry-After` (RFC 9110, 10.2.3) as milliseconds from now: seconds, or a date. Undefined when absent or unreadable.
 * @param nowEpochMs milliseconds since the epoch, against which a date is measured
 */
export function parseRetryAfter(value: string, nowEpochMs: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  if (!/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowEpochMs);
}
