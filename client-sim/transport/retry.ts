import { mix32 } from '../mcp/draw.js';

const FIRST_MS = 100;
const LAST_MS = 5000;

/** How long to let a server be that refused a connection: 100 ms, doubling to 5 s. */
export class RetryTimer {
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;

  constructor(private readonly onOver: () => void) {}

  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  /** @param salt spreads the waits by 25 % either way, so that a thousand clients do not come back as one */
  start(salt: number): void {
    const waitMs = Math.min(LAST_MS, FIRST_MS * 2 ** this.failures++);
    const spread = 0.75 + (mix32(salt + this.failures) >>> 0) / 2 ** 33;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.onOver();
    }, waitMs * spread);
  }

  succeeded(): void {
    this.failures = 0;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/**
 * `Retry-After` (RFC 9110, 10.2.3) as milliseconds from now: seconds, or a date. Undefined when absent or unreadable.
 * @param nowEpochMs milliseconds since the epoch, what a date is measured against
 */
export function parseRetryAfter(value: string, nowEpochMs: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  if (!/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowEpochMs);
}

const FIRST_RECONNECT_MS = 100;
const LAST_RECONNECT_MS = 5_000;

/**
 * How long to wait before a stream is opened again, milliseconds: what the server asked for (`retry:`), at least; else
 * 100 ms, doubling with each attempt that failed to 5 s, spread by 25 % either way so that a thousand clients do not
 * come back as one.
 * @param retryMs -1: the server never said
 * @param failures attempts since the stream was last open
 */
export function reconnectWaitMs(retryMs: number, failures: number, salt: number): number {
  const spread = 0.75 + (mix32(salt + failures) >>> 0) / 2 ** 33;
  const backoffMs = Math.min(LAST_RECONNECT_MS, FIRST_RECONNECT_MS * 2 ** Math.min(failures, 16)) * spread;
  if (retryMs < 0) return backoffMs;
  return failures === 0 ? retryMs : Math.max(retryMs, backoffMs);
}
