import { type ReadStamp, stampOrigin } from '../mcp/stamp.js';
import { clockId } from '../measure/clock-id.js';

/** What a thread knows of the time of its run. */
export interface RunClock {
  /** Start of the run on the machine's monotonic clock (`process.hrtime`), milliseconds. */
  readonly startHrMs: number;
  /** How far that start may be off the controller's, milliseconds. */
  readonly errorMs: number;
}

/**
 * How old a publication is. Published on this machine: by the monotonic clock, which all processes of a machine read
 * alike, whatever the workers believe of the controller's clock. Published elsewhere: by the time of the run, as far as
 * both sides know when it began.
 */
export class StampClock {
  /** What this thread puts at the head of its stamps. */
  readonly origin: Buffer;
  private readonly id = clockId();

  constructor(private readonly clock: RunClock) {
    this.origin = stampOrigin(this.id, clock.errorMs * 1000, clock.startHrMs * 1000);
  }

  /** Microseconds on the monotonic clock. */
  dueUs(runMs: number): number {
    return Math.round((this.clock.startHrMs + runMs) * 1000);
  }

  /** @param runMs now, in run time */
  since(stamp: ReadStamp, runMs: number): { readonly ms: number; readonly errorUs: number } {
    const { startHrMs, errorMs } = this.clock;
    if (stamp.clock === this.id) return { ms: startHrMs + runMs - stamp.dueUs / 1000, errorUs: 0 };
    return { ms: runMs - (stamp.dueUs - stamp.startUs) / 1000, errorUs: errorMs * 1000 + stamp.errorUs };
  }
}
