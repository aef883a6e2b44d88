import { stat } from 'node:fs/promises';

/**
 * Two ways to notice that the controller is gone: `Lease` ends the load of a worker that gets no answers, and
 * `watchLeaseFile` ends a worker on the controller's machine whose lease file is no longer touched.
 */

const LEASE_CHECK_MS = 250;

/**
 * Calls back when the controller has been silent for longer than the lease. Time in which this process itself could not
 * listen (a suspended machine, a starved core) is not the controller's silence: each check adds little more than one
 * interval.
 */
export class Lease {
  private _silentMs = 0;
  private checkedAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  /**
   * @param sinceAnswerMs time since the controller last answered
   * @param leaseMs how long it may be silent
   * @param onLost called at each check while the lease is lost
   */
  constructor(sinceAnswerMs: () => number, leaseMs: () => number, onLost: () => void) {
    this.timer = setInterval(() => {
      const now = performance.now();
      const sinceCheckMs = now - this.checkedAt;
      this.checkedAt = now;
      const isAnswering = sinceAnswerMs() <= sinceCheckMs;
      this._silentMs = isAnswering ? 0 : this._silentMs + Math.min(sinceCheckMs, 2 * LEASE_CHECK_MS);
      if (this._silentMs > leaseMs()) onLost();
    }, LEASE_CHECK_MS);
  }

  /** Milliseconds for which the controller has been silent while we listened. */
  get silentMs(): number {
    return this._silentMs;
  }

  close(): void {
    clearInterval(this.timer);
  }
}

const FILE_CHECK_MS = 2_000;
const FILE_STALE_MS = 60_000;

/**
 * Watches the file that a controller touches every second: a killed controller leaves no workers behind, but one that
 * is restarted within a minute finds its workers.
 * @param onStale called once, when the file is gone or has not been touched for 60 s
 */
export function watchLeaseFile(path: string, onStale: (why: string) => void): { close(): void } {
  const timer = setInterval(() => {
    void staleness(path).then((why) => {
      if (why === undefined) return;
      clearInterval(timer);
      onStale(why);
    });
  }, FILE_CHECK_MS);
  return { close: () => clearInterval(timer) };
}

/** Why the lease file is stale; undefined: it is not. */
async function staleness(path: string): Promise<string | undefined> {
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    return ageMs > FILE_STALE_MS ? `${path} has not been touched for ${Math.round(ageMs / 1000)} s` : undefined;
  } catch {
    return `${path} is gone`;
  }
}
