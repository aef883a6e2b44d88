/**
 * What became of the operations that were due around a fault, in bins of 100 ms by the time when they were due. The
 * bins of an operation are known only when it has ended, so those of a bin come with many batches.
 */
import type { TimeSpan } from '../../scenarios/schema/plan.js';
import { durationClass, MOST_CLASS } from '../protocol/outcomes.js';

export const BIN_MS = 100;

/** Outcomes of an interval: rows of `[series, bin, category, durationClass, count]`. */
export interface OutcomeRows {
  /** By their numbers in the rows; '' is a correct answer. */
  readonly categories: readonly string[];
  readonly rows: readonly number[];
}

export const OUTCOME_ROW = 5;

/** Factors of the parts of a row's key. */
const CLASSES = MOST_CLASS + 1;
const CATEGORIES = 128;

export class OutcomeBins {
  /** By series: counts by bin, category and class. */
  private readonly counts = new Map<number, Map<number, number>>();
  private readonly numbers = new Map<string, number>([['', 0]]);
  private readonly names: string[] = [''];
  private current: TimeSpan;

  /** @param spans run time, in order and apart; operations that were due outside of them are left out */
  constructor(private readonly spans: readonly [TimeSpan, ...TimeSpan[]]) {
    this.current = spans[0];
  }

  /**
   * @param category of the failure; '': a correct answer
   * @param sinceDueMs from due to the end
   */
  add(series: number, category: string, dueMs: number, sinceDueMs: number): void {
    if (dueMs < this.current.fromMs || dueMs >= this.current.toMs) {
      const span = this.spans.find(({ fromMs, toMs }) => dueMs >= fromMs && dueMs < toMs);
      if (span === undefined) return;
      this.current = span;
    }
    const bin = Math.floor(dueMs / BIN_MS);
    const key = (bin * CATEGORIES + this.numberOf(category)) * CLASSES + durationClass(sinceDueMs);
    let counts = this.counts.get(series);
    if (counts === undefined) {
      counts = new Map();
      this.counts.set(series, counts);
    }
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  /** Everything since the last call. */
  take(): OutcomeRows | undefined {
    if (this.counts.size === 0) return undefined;
    const rows: number[] = [];
    for (const [series, counts] of this.counts)
      for (const [key, count] of counts) {
        const outer = Math.floor(key / CLASSES);
        rows.push(series, Math.floor(outer / CATEGORIES), outer % CATEGORIES, key % CLASSES, count);
      }
    this.counts.clear();
    return { categories: [...this.names], rows };
  }

  private numberOf(category: string): number {
    const known = this.numbers.get(category);
    if (known !== undefined) return known;
    // More categories than this are noise.
    const number = Math.min(this.names.length, CATEGORIES - 1);
    if (number === this.names.length) this.names.push(category);
    this.numbers.set(category, number);
    return number;
  }
}
