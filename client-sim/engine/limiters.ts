/** The limit holds over this time, not at each moment: a backlog may exceed it for that long. */
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

/**
 * Above this, a listen queue (commonly 4,096, shared by all workers) starts to drop connects, which cost a second each.
 */
const MAX_OPENING = 256;

/** A session that wants to open: a session slot. */
interface Opening {
  readonly state: string;
  start(): void;
}

/** Limits how many sessions of a thread open at once; the others wait in order. */
export class OpenLimiter {
  private opening = 0;
  private waiting: Opening[] = [];
  private head = 0;

  enqueue(sessionSlot: Opening): void {
    if (this.opening < MAX_OPENING) this.admit(sessionSlot);
    else this.waiting.push(sessionSlot);
  }

  /** An admitted attempt has ended, successfully or not. */
  release(): void {
    this.opening--;
    while (this.opening < MAX_OPENING && this.head < this.waiting.length) {
      const sessionSlot = this.waiting[this.head++];
      // A slot whose clients no longer want a session has left the state `queued`, but not this queue.
      if (sessionSlot?.state === 'queued') this.admit(sessionSlot);
    }
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    }
  }

  private admit(sessionSlot: Opening): void {
    this.opening++;
    sessionSlot.start();
  }
}
