/** Answers that nothing attributes. */
const UNKNOWN_REPLICA = 0;

/** More names than this in one run are no replicas but noise: they share the last number. */
const MOST_NAMES = 128;
const THE_REST = '(others)';
const LONGEST_NAME = 128;

/**
 * Numbers for the replicas that answers name, from 1, so that the hot path compares and counts by number. One an engine
 * thread.
 */
export class ReplicaNames {
  private readonly numbers = new Map<string, number>();
  private readonly names: string[] = [''];

  /** 0 for an empty name, and for one that is no name: too long, or with characters that cannot be seen. */
  numberOf(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    if (name === '' || name.length > LONGEST_NAME || !/^[\x21-\x7e]+$/.test(name)) return UNKNOWN_REPLICA;
    if (this.names.length > MOST_NAMES) return MOST_NAMES;
    const number = this.names.length;
    this.names.push(number === MOST_NAMES ? THE_REST : name);
    if (number < MOST_NAMES) this.numbers.set(name, number);
    return number;
  }

  /** '' for 0. */
  nameOf(number: number): string {
    return this.names[number] ?? '';
  }

  /** Numbers given so far, 0 included. */
  get size(): number {
    return this.names.length;
  }
}
