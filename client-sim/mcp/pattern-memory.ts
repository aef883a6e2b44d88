import type { AnswerPattern } from './answer-pattern.js';

/**
 * The last pattern learned for each template. If answers never repeat (a random number in each), learning only costs,
 * so it backs off: after n patterns in a row that matched nothing, only one answer in 2^n (at most 1024) is learned.
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

  /** Whether to learn from a correct answer that did not match. */
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
 * The patterns of this many replicas are tried; behind a gateway that sends requests anywhere, more would cost as much
 * as parsing.
 */
const MAX_TRIED = 8;

/**
 * Patterns of whole HTTP answers by the number of the replica that their head names: a match also identifies the
 * replica, and the answers of one replica do not replace the patterns of another.
 */
export class KnownAnswers {
  /** The replica of the last answer that was found. */
  replica = 0;
  private readonly byReplica: PatternMemory[] = [new PatternMemory()];

  of(replica: number): PatternMemory {
    while (this.byReplica.length <= replica) this.byReplica.push(new PatternMemory());
    return this.byReplica[replica] as PatternMemory;
  }

  /**
   * Behind a sticky gateway the first pattern that is tried matches.
   * @param last the replica that answered before on this connection
   * @returns the length of the answer at `at` when it is complete and matches a pattern, else 0
   */
  find(last: number, template: number, bytes: Buffer, at: number, end: number, id: number): number {
    const length = this.match(last, template, bytes, at, end, id);
    if (length > 0) return length;
    const tried = Math.min(this.byReplica.length, MAX_TRIED + 1);
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
