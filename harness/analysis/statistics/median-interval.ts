/** What a few trials say about their median: the range that they span, or an interval that holds it 95 times in 100. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /**
   * `range`: the lowest and the highest trial, because fewer than six have no interval of 95 %. `interval`: of 95 %.
   */
  readonly kind: 'range' | 'interval';
  /** How often an interval made like this holds the true median; 0 for a single trial. */
  readonly coverage: number;
  readonly trials: number;
}

/** The lowest and the highest of five trials hold the median 93.75 times in 100, those of six 96.9 times. */
export const FEWEST_TRIALS = 6;
const COVERAGE = 0.95;

/**
 * Free of any assumption about the distribution. The range of n independent trials holds their true median with a
 * probability of 1 - 2^(1 - n). From six trials on, the interval lies between two pairs of order statistics, one with
 * more than 95 % and one with less (Hettmansperger and Sheather 1986), so that its coverage is 95 % at every number.
 * @returns undefined without values
 */
export function medianInterval(values: readonly number[]): MedianInterval | undefined {
  const trials = values.length;
  if (trials === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const median = (at((trials - 1) >> 1) + at(trials >> 1)) / 2;
  if (trials < FEWEST_TRIALS)
    return { median, low: at(0), high: at(trials - 1), kind: 'range', coverage: 1 - 2 ** (1 - trials), trials };
  // Largest depth whose order statistics still have the coverage; the next one has less.
  let depth = 1;
  while (orderCoverage(trials, depth + 1) >= COVERAGE) depth += 1;
  const [more, less] = [orderCoverage(trials, depth), orderCoverage(trials, depth + 1)];
  const excess = (more - COVERAGE) / (more - less);
  const inner = ((trials - depth) * excess) / (depth + (trials - 2 * depth) * excess);
  const between = (outer: number, next: number): number => (1 - inner) * outer + inner * next;
  return {
    median,
    low: between(at(depth - 1), at(depth)),
    high: between(at(trials - depth), at(trials - depth - 1)),
    kind: 'interval',
    coverage: COVERAGE,
    trials,
  };
}

/** How often the `depth`th lowest and the `depth`th highest of n trials hold the median between them. */
function orderCoverage(n: number, depth: number): number {
  let term = 2 ** -n;
  let tail = 0;
  for (let k = 0; k < depth; k += 1) {
    tail += term;
    term *= (n - k) / (k + 1);
  }
  return 1 - 2 * tail;
}
