import { stat } from 'node:fs/promises';

const LOOK_MS = 250;

/**
 * Whether the controller still holds this worker's lease. Time in which this process itself could not listen (a
 * suspended machine, a starved core) is not the controller's silence: a look counts for little more than one interval.
 */
export class Lease {
  private _silentMs = 0;
  private lookedAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  /**
   * @param heardAgoMs since the controller last answered
   * @param leaseMs how long it may be silent
   * @param onLost called at each look while the lease is lost
   */
  constructor(heardAgoMs: () => number, leaseMs: () => number, onLost: () => void) {
    this.timer = setInterval(() => {
      const now = performance.now();
      const sinceLookMs = now - this.lookedAt;
      this.lookedAt = now;
      this._silentMs = heardAgoMs() <= sinceLookMs ? 0 : this._silentMs + Math.min(sinceLookMs, 2 * LOOK_MS);
      if (this._silentMs > leaseMs()) onLost();
    }, LOOK_MS);
  }

  /** Milliseconds the controller has been silent while we listened. */
  get silentMs(): number {
    return this._silentMs;
  }

  close(): void {
    clearInterval(this.timer);
  }
}

const FILE_LOOK_MS = 2_000;
const FILE_STALE_MS = 60_000;

/**
 * Watches the file that a controller touches every second, so that a killed controller leaves nothing behind, but one
 * that is restarted within a minute finds its workers.
 * @param onStale called once, when the file is gone or was not touched for 60 s
 */
export function watchLeaseFile(path: string, onStale: (why: string) => void): { close(): void } {
  const timer = setInterval(() => {
    void look(path).then((why) => {
      if (why === undefined) return;
      clearInterval(timer);
      onStale(why);
    });
  }, FILE_LOOK_MS);
  return { close: () => clearInterval(timer) };
}

async function look(path: string): Promise<string | undefined> {
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    return ageMs > FILE_STALE_MS ? `${path} was not touched for ${Math.round(ageMs / 1000)} s` : undefined;
  } catch {
    return `${path} is gone`;
  }
}
