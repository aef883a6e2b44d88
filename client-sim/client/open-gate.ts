import type { Lane } from './lane.js';

/**
 * Above this a listen queue (commonly 4,096, shared by all workers) starts to drop connects, which cost a second each.
 */
const MOST_PENDING = 256;

/** Lets only so many sessions of a thread open at once; the others wait in order. */
export class OpenGate {
  private pending = 0;
  private waiting: Lane[] = [];
  private head = 0;

  enter(lane: Lane): void {
    if (this.pending < MOST_PENDING) this.admit(lane);
    else this.waiting.push(lane);
  }

  /** An attempt that was admitted has ended, in whatever way. */
  leave(): void {
    this.pending--;
    while (this.pending < MOST_PENDING && this.head < this.waiting.length) {
      const lane = this.waiting[this.head++];
      // A lane that nobody wants any more has left the state, not the queue.
      if (lane?.state === 'queued') this.admit(lane);
    }
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    }
  }

  private admit(lane: Lane): void {
    this.pending++;
    lane.start();
  }
}
