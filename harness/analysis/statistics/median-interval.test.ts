import { describe, expect, test } from '@jest/globals';
import { mulberry32, normals } from './distributions.js';
import { medianInterval } from './median-interval.js';

/** How often intervals of `trials` draws hold the true median, which is 0. */
function coverageOf(trials: number, draw: () => number, rounds = 4000): number {
  let held = 0;
  for (let round = 0; round < rounds; round += 1) {
    const found = medianInterval(Array.from({ length: trials }, draw));
    if (found !== undefined && found.low <= 0 && found.high >= 0) held += 1;
  }
  return held / rounds;
}

describe('what trials say about their median', () => {
  test('is nothing without values, and no interval for one', () => {
    expect(medianInterval([])).toBeUndefined();
    expect(medianInterval([7])).toEqual({ median: 7, low: 7, high: 7, kind: 'range', coverage: 0, trials: 1 });
  });

  test('is the range of fewer than six, with its true coverage', () => {
    expect(medianInterval([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5, kind: 'range', coverage: 0.75, trials: 3 });
    expect(medianInterval([1, 2, 3, 9])).toMatchObject({ median: 2.5, low: 1, high: 9, coverage: 0.875 });
  });

  test('is an interval within the range from six on', () => {
    const found = medianInterval([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(found).toMatchObject({ median: 4.5, kind: 'interval', coverage: 0.95, trials: 8 });
    expect(found?.low).toBeGreaterThan(1);
    expect(found?.low).toBeLessThan(2);
    expect(found?.high).toBeGreaterThan(7);
  });

  // A normal distribution, and one with a long tail, as latencies have.
  const shapes = [
    ['normal', (normal: () => number) => normal()],
    ['skewed', (normal: () => number) => Math.exp(normal()) - 1],
  ] as const;
  test.each(shapes)('covers what it says for 2 to 20 trials: %s', (_, shape) => {
    const normal = normals(mulberry32(7));
    for (let trials = 2; trials <= 20; trials += 1) {
      const stated = medianInterval(Array.from({ length: trials }, normal))?.coverage ?? 0;
      const found = coverageOf(trials, () => shape(normal));
      // 4,000 rounds are within 0.011 of the truth (three standard errors at 95 %); interpolation adds a little.
      expect([trials, found > stated - 0.018]).toEqual([trials, true]);
      expect([trials, found < stated + 0.022]).toEqual([trials, true]);
    }
  });
});
