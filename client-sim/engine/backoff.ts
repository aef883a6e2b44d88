import { RANDOM_STREAM, uniform } from '../mcp/draw.js';

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * Pauses between attempts to open a session: 100 ms doubling to 5 s, each shortened by up to half, drawn from the seed.
 */
export class Backoff {
  /** Run time before which nothing is tried. */
  untilMs = 0;
  private failures = 0;
  private draws = 0;

  constructor(
    private readonly seed: number,
    private readonly slot: number,
  ) {}

  failed(nowMs: number): void {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
    this.untilMs = nowMs + longest * (1 - uniform(this.seed, this.slot, this.draws++, RANDOM_STREAM.backoff) / 2);
  }

  succeeded(): void {
    this.failures = 0;
    this.untilMs = 0;
  }
}
