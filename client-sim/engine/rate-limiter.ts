/** The limit holds over this time, not at each moment: a backlog that is sent at last may exceed it for so long. */
const WINDOW_SECONDS = 10;
const MAX_SMALL_INTEGER = 0x3fffffff;

/** Enforces this thread's share of the plan's `limits.ratePerSecond`: a token bucket, filled once per pump. */
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

  /** Operations that may be started now; always a small integer. */
  get left(): number {
    return this.tokens < MAX_SMALL_INTEGER ? this.tokens | 0 : MAX_SMALL_INTEGER;
  }

  take(count: number): void {
    this.tokens -= count;
  }
}
