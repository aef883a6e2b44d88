/**
 * Batch numbers seen from one worker: from 1, mostly in order, so a high-water mark and the few that run ahead of it.
 */
export class SequenceSet {
  private through = 0;
  private readonly ahead = new Set<number>();

  /** False when it was there already. */
  add(sequence: number): boolean {
    if (sequence <= this.through || this.ahead.has(sequence)) return false;
    this.ahead.add(sequence);
    while (this.ahead.delete(this.through + 1)) this.through += 1;
    return true;
  }

  get highest(): number {
    return this.ahead.size === 0 ? this.through : Math.max(...this.ahead);
  }

  /** How many numbers below `highest` were never seen. */
  get missing(): number {
    return this.highest - this.through - this.ahead.size;
  }
}
