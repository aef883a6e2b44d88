/** The replica of an answer is not known. */
const UNKNOWN_REPLICA = 0;

/** More names than this in one run are not those of replicas; they share the last number. */
const MAX_NAMES = 128;
const OTHERS = '(others)';
const MAX_NAME_LENGTH = 128;

/**
 * Numbers from 1 for the replicas that answers name, so that the hot path compares and counts numbers. There is one
 * such object in each engine thread.
 */
export class ReplicaNames {
  private readonly numbers = new Map<string, number>();
  private readonly names: string[] = [''];

  /** 0 for an empty name, and for one that is too long or has invisible characters. */
  numberOf(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    if (name === '' || name.length > MAX_NAME_LENGTH || !/^[\x21-\x7e]+$/.test(name)) return UNKNOWN_REPLICA;
    if (this.names.length > MAX_NAMES) return MAX_NAMES;
    const number = this.names.length;
    this.names.push(number === MAX_NAMES ? OTHERS : name);
    if (number < MAX_NAMES) this.numbers.set(name, number);
    return number;
  }

  /** '' for 0. */
  nameOf(number: number): string {
    return this.names[number] ?? '';
  }

  /** How many numbers there are so far, including 0. */
  get size(): number {
    return this.names.length;
  }
}
