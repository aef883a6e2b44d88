import { mix32 } from '../../mcp/draw.js';

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
