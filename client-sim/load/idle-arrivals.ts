import type { Arrivals, SequenceRange } from './arrivals.js';

/** A client that is silent but for one operation now and then: due when somebody who knows of its session says so. */
export class IdleArrivals implements Arrivals {
  nextDueMs = Infinity;
  /** Since when it is silent, as far as its operations tell. */
  private quietSinceMs = -Infinity;
  private onTheWire = false;
  private active = false;
  private sequence = 0;

  constructor(
    private readonly idleMs: number,
    private readonly onOffered: SequenceRange,
  ) {}

  /** The session it has was opened then: the silence is counted from there, or from the last operation. */
  openSince(openedAtMs: number): void {
    this.nextDueMs = this.active && !this.onTheWire ? Math.max(openedAtMs, this.quietSinceMs) + this.idleMs : Infinity;
  }

  take(): number {
    const sequence = this.sequence++;
    this.onTheWire = true;
    this.nextDueMs = Infinity;
    this.onOffered(sequence, sequence + 1);
    return sequence;
  }

  ended(_sequence: number, nowMs: number): void {
    this.onTheWire = false;
    this.quietSinceMs = nowMs;
  }

  account(atMs: number): number {
    return this.nextDueMs > atMs ? 0 : 1;
  }

  forget(beforeMs: number, each: SequenceRange): void {
    if (this.nextDueMs >= beforeMs) return;
    const sequence = this.take();
    each(sequence, sequence + 1);
    this.ended(sequence, beforeMs);
  }

  activate(): void {
    this.active = true;
  }

  deactivate(): void {
    this.active = false;
    this.nextDueMs = Infinity;
  }
}
