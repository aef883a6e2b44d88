import type { AnswerPattern } from './answer-pattern.js';

/**
 * The last learnt pattern of each template. Where answers never repeat (a random number in each), learning would only
 * cost, so it backs off: after n patterns in a row that matched nothing, only one answer in 2^n (at most 1024) is
 * learnt.
 */
export class PatternMemory {
  private readonly entries: (Entry | undefined)[] = [];

  get(template: number): AnswerPattern | undefined {
    return this.entries[template]?.pattern;
  }

  /** The pattern of this template matched. */
  hit(template: number): void {
    (this.entries[template] as Entry).wasted = 0;
  }

  /** A correct answer did not match: is it time to learn from it? */
  wantsToLearn(template: number): boolean {
    const entry = (this.entries[template] ??= { pattern: undefined, wasted: 0, skip: 0 });
    return entry.skip-- <= 0;
  }

  learnt(template: number, pattern: AnswerPattern | undefined): void {
    const entry = this.entries[template] as Entry;
    entry.pattern = pattern ?? entry.pattern;
    entry.skip = 2 ** entry.wasted - 1;
    entry.wasted = Math.min(10, entry.wasted + 1);
  }
}

interface Entry {
  pattern: AnswerPattern | undefined;
  wasted: number;
  skip: number;
}

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
