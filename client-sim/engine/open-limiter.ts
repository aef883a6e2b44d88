import type { SessionSlot } from './session-slot.js';

/**
 * Above this a listen queue (commonly 4,096, shared by all workers) starts to drop connects, which cost a second each.
 */
const MOST_PENDING = 256;

/** Lets only so many sessions of a thread open at once; the others wait in order. */
export class OpenLimiter {
  private pending = 0;
  private waiting: SessionSlot[] = [];
  private head = 0;

  enqueue(sessionSlot: SessionSlot): void {
    if (this.pending < MOST_PENDING) this.admit(sessionSlot);
    else this.waiting.push(sessionSlot);
  }

  /** An attempt that was admitted has ended, in whatever way. */
  release(): void {
    this.pending--;
    while (this.pending < MOST_PENDING && this.head < this.waiting.length) {
      const sessionSlot = this.waiting[this.head++];
      // A lane that nobody wants any more has left the state, not the queue.
      if (sessionSlot?.state === 'queued') this.admit(sessionSlot);
    }
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    }
  }

  private admit(sessionSlot: SessionSlot): void {
    this.pending++;
    sessionSlot.start();
  }
}
