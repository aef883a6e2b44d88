/**
 * Above this, a listen queue (commonly 4,096, shared by all workers) starts to drop connects, which cost a second each.
 */
const MAX_OPENING = 256;

/** A session that wants to open: a session slot. */
interface Opening {
  readonly state: string;
  start(): void;
}

/** Limits how many sessions of a thread open at once; the others wait in order. */
export class OpenLimiter {
  private opening = 0;
  private waiting: Opening[] = [];
  private head = 0;

  enqueue(sessionSlot: Opening): void {
    if (this.opening < MAX_OPENING) this.admit(sessionSlot);
    else this.waiting.push(sessionSlot);
  }

  /** An admitted attempt has ended, successfully or not. */
  release(): void {
    this.opening--;
    while (this.opening < MAX_OPENING && this.head < this.waiting.length) {
      const sessionSlot = this.waiting[this.head++];
      // A slot whose clients no longer want a session has left the state `queued`, but not this queue.
      if (sessionSlot?.state === 'queued') this.admit(sessionSlot);
    }
    if (this.head === this.waiting.length) {
      this.waiting = [];
      this.head = 0;
    }
  }

  private admit(sessionSlot: Opening): void {
    this.opening++;
    sessionSlot.start();
  }
}
