export type Arrival = 'first' | 'next' | 'late' | 'duplicate';

/** Gaps kept; a number of one older than these that comes after all is taken for a duplicate. */
const MOST_GAPS = 4_096;

/** One publisher's numbers as one subscriber hears them. Memory goes with the gaps, not with the numbers. */
export class SequenceTracker {
  /** Everything from here on is still to come. */
  private next = -1;
  /** Numbers below `#next` not yet heard: from, to (exclusive), in order. */
  private readonly gaps: { from: number; to: number }[] = [];

  hear(number: number): Arrival {
    if (this.next < 0) {
      this.next = number + 1;
      return 'first';
    }
    if (number >= this.next) {
      if (number > this.next) this.miss(this.next, number);
      this.next = number + 1;
      return 'next';
    }
    return this.fill(number) ? 'late' : 'duplicate';
  }

  private miss(from: number, to: number): void {
    this.gaps.push({ from, to });
    if (this.gaps.length > MOST_GAPS) this.gaps.shift();
  }

  private fill(number: number): boolean {
    const at = this.gaps.findLastIndex(({ from, to }) => number >= from && number < to);
    const gap = this.gaps[at];
    if (gap === undefined) return false;
    const rest = [
      { from: gap.from, to: number },
      { from: number + 1, to: gap.to },
    ].filter(({ from, to }) => from < to);
    this.gaps.splice(at, 1, ...rest);
    return true;
  }
}
