/** Batch numbers seen from one worker. They start at 1 and come mostly in order. */
export class SequenceSet {
  /** All numbers up to this one were seen. */
  private through = 0;
  private readonly ahead = new Set<number>();

  /** @returns false for a number that was seen before */
  add(sequence: number): boolean {
    if (sequence <= this.through || this.ahead.has(sequence)) return false;
    this.ahead.add(sequence);
    while (this.ahead.delete(this.through + 1)) this.through += 1;
    return true;
  }

  get highest(): number {
    return this.ahead.size === 0 ? this.through : Math.max(...this.ahead);
  }

  /** How many numbers below `highest` were not seen. */
  get missing(): number {
    return this.highest - this.through - this.ahead.size;
  }
}
