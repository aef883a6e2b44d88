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
