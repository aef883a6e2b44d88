/** How much a backlog may exceed the limit when it is sent at last: the limit holds over this time, not each moment. */
const WINDOW_SECONDS = 10;
const MANY = 0x3fffffff;

/** The plan's `limits.ratePerSecond` as this thread's share, enforced; a token bucket, filled once a pump. */
export class RateLimiter {
  private tokens: number;
  private filledMs: number;

  constructor(
    private readonly perSecond: number,
    nowMs: number,
  ) {
    this.tokens = perSecond;
    this.filledMs = nowMs;
  }

  fill(nowMs: number): void {
    const added = (Math.max(0, nowMs - this.filledMs) / 1000) * this.perSecond;
    this.tokens = Math.min(this.tokens + added, this.perSecond * WINDOW_SECONDS);
    this.filledMs = nowMs;
  }

  /** Operations that may be started now; a small integer, however many. */
  get left(): number {
    return this.tokens < MANY ? this.tokens | 0 : MANY;
  }

  take(count: number): void {
    this.tokens -= count;
  }
}
