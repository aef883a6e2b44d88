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
