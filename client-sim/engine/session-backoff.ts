import { backoffMs } from '../load/backoff.js';
import { RANDOM_STREAM, uniform } from '../mcp/draw.js';

const MAX_PAUSE_MS = 5_000;

/** Pauses between attempts to open a session. Each is shortened by up to half, drawn from the seed. */
export class SessionBackoff {
  /** Run time before which no attempt is made. */
  untilMs = 0;
  private failures = 0;
  private draws = 0;

  constructor(
    private readonly seed: number,
    private readonly slot: number,
  ) {}

  failed(nowMs: number): void {
    const factor = 1 - uniform(this.seed, this.slot, this.draws++, RANDOM_STREAM.backoff) / 2;
    this.untilMs = nowMs + backoffMs(this.failures++, MAX_PAUSE_MS, factor);
  }

  /** The run starts earlier, so that the time at hand is later by that much. */
  moveStart(earlierMs: number): void {
    if (this.untilMs !== 0) this.untilMs += earlierMs;
  }

  succeeded(): void {
    this.failures = 0;
    this.untilMs = 0;
  }
}
