/** How many of the last closes are compared, and how many of them must agree. */
const REMEMBERED = 8;
const AGREEING = 3;
/** Ages agree that differ by no more than this share, or by this much. */
const TOLERANCE = 0.1;
const TOLERANCE_MS = 10;
/** What was learned is forgotten when no close has confirmed it for so long. */
const FORGOTTEN_AFTER_MS = 60_000;
/** Connections are not used in the last part of their life: a request could cross the FIN. */
const USED_SHARE = 0.85;
const USED_MARGIN_MS = 15;

/**
 * Learns after how much idle time a server closes its connections, where it does not say so (`keep-alive: timeout`). A
 * request that is sent at that age crosses the server's FIN, which a server cannot help and a client can.
 */
export class IdleAge {
  /** Idle time from which a connection is not used again, milliseconds; 0: not known. */
  limitMs = 0;
  private readonly ages: number[] = [];
  private confirmedMs = 0;

  /** The server has closed a connection that had been idle for so long. */
  observe(ageMs: number, nowMs: number): void {
    this.ages.push(ageMs);
    if (this.ages.length > REMEMBERED) this.ages.shift();
    const agreeing = this.ages.filter((age) => Math.abs(age - ageMs) <= Math.max(TOLERANCE_MS, ageMs * TOLERANCE));
    if (agreeing.length >= AGREEING) {
      const age = Math.min(...agreeing);
      this.limitMs = Math.max(1, Math.min(age * USED_SHARE, age - USED_MARGIN_MS));
      this.confirmedMs = nowMs;
    } else if (nowMs - this.confirmedMs > FORGOTTEN_AFTER_MS) this.limitMs = 0;
  }

  /** Whether a connection that has been idle for so long must not be used. */
  isTooOld(ageMs: number, nowMs: number): boolean {
    if (this.limitMs === 0 || ageMs < this.limitMs) return false;
    if (nowMs - this.confirmedMs <= FORGOTTEN_AFTER_MS) return true;
    this.limitMs = 0;
    this.ages.length = 0;
    return false;
  }
}
