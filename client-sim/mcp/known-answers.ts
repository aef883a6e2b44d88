import { PatternMemory } from './pattern-memory.js';

/**
 * Of so many replicas the patterns are tried; behind a gateway that sends requests anywhere, more would cost what
 * parsing does.
 */
const MOST_TRIED = 8;

/**
 * Whole HTTP answers by the number of the replica that their head names: an answer that matches is attributed by
 * matching, and replicas do not unlearn each other's.
 */
export class KnownAnswers {
  /** Of the last answer that was found. */
  replica = 0;
  private readonly byReplica: PatternMemory[] = [new PatternMemory()];

  of(replica: number): PatternMemory {
    while (this.byReplica.length <= replica) this.byReplica.push(new PatternMemory());
    return this.byReplica[replica] as PatternMemory;
  }

  /**
   * Behind a sticky gateway the first pattern tried is the right one.
   * @param last the replica that answered before on this connection
   * @returns length of the answer that begins at `at` when it is known whole, else 0
   */
  find(last: number, template: number, bytes: Buffer, at: number, end: number, id: number): number {
    const length = this.match(last, template, bytes, at, end, id);
    if (length > 0) return length;
    const tried = Math.min(this.byReplica.length, MOST_TRIED + 1);
    for (let replica = 0; replica < tried; replica++) {
      const other = replica === last ? 0 : this.match(replica, template, bytes, at, end, id);
      if (other > 0) return other;
    }
    return 0;
  }

  private match(replica: number, template: number, bytes: Buffer, at: number, end: number, id: number): number {
    const memory = this.byReplica[replica];
    const pattern = memory?.get(template);
    if (memory === undefined || pattern?.matches(bytes, at, end, id) !== true) return 0;
    memory.hit(template);
    this.replica = replica;
    return pattern.length;
  }
}
