import type { Category } from '../measure/failure.js';

/**
 * Samples of one (template, category) beyond this are not made: under a flood of errors they would cost more than the
 * errors.
 */
const KEPT = 3;

/** Which failures still get their exchange recorded. */
export class SampleBudget {
  private readonly made = new Map<string, number>();

  /** Whether to record one more; counts it when so. */
  take(category: Category, template: number): boolean {
    const key = `${template} ${category}`;
    const made = this.made.get(key) ?? 0;
    if (made >= KEPT) return false;
    this.made.set(key, made + 1);
    return true;
  }
}
