import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type ReadStamp, stampOrigin } from '../mcp/stamp.js';

/** When the run starts, as exactly as a thread knows it. */
export interface RunClock {
  /** Start of the run on the machine's monotonic clock (`process.hrtime`), milliseconds. */
  readonly startHrMs: number;
  /** How far that start may differ from the controller's, milliseconds. */
  readonly errorMs: number;
}

/**
 * Computes the age of a publication. One published on this machine is measured with the monotonic clock, which all
 * processes of a machine read alike, whatever the workers believe about the controller's clock. One published elsewhere
 * is measured in run time, as exactly as both sides know when the run began.
 */
export class PublicationClock {
  /** The beginning of every stamp that this thread writes. */
  readonly origin: Buffer;
  private readonly id = clockId();

  constructor(private clock: RunClock) {
    this.origin = this.originOf(clock);
  }

  /** The run starts at another time. Publishers keep the buffer of the origin, so it is written again. */
  moveStart(startHrMs: number): void {
    this.clock = { ...this.clock, startHrMs };
    this.originOf(this.clock).copy(this.origin);
  }

  private originOf({ errorMs, startHrMs }: RunClock): Buffer {
    return stampOrigin(this.id, errorMs * 1000, startHrMs * 1000);
  }

  /** Microseconds on the monotonic clock. */
  dueUs(runMs: number): number {
    return Math.round((this.clock.startHrMs + runMs) * 1000);
  }

  /** Age of the publication. @param runMs now, in run time */
  since(stamp: ReadStamp, runMs: number): { readonly ms: number; readonly errorUs: number } {
    const { startHrMs, errorMs } = this.clock;
    if (stamp.clock === this.id) return { ms: startHrMs + runMs - stamp.dueUs / 1000, errorUs: 0 };
    return { ms: runMs - (stamp.dueUs - stamp.startUs) / 1000, errorUs: errorMs * 1000 + stamp.errorUs };
  }
}

/** Differs with every boot of a machine, and is the same in all its containers, like the clock (random(4)). */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Names the monotonic clock of this process, 8 hex digits: processes with the same name read the same clock. */
function clockId(): string {
  const hash = createHash('sha256').update(bootId()).digest('hex').slice(0, 8);
  return hash === '00000000' ? '00000001' : hash;
}

function bootId(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    // Not Linux: only processes with the same host name are then taken to share a clock.
    return hostname();
  }
}
