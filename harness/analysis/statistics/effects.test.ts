import { describe, expect, test } from '@jest/globals';
import { cellOf } from '../../../client-sim/protocol/histogram-codec.js';
import { HdrCounts } from '../merge/hdr-counts.js';
import { mulberry32, normals } from './distributions.js';
import { differenceOfShares, discoveries, effectsOf, permutations, signFlips } from './effects.js';
import { HistogramFigures, RatioFigures } from './figures.js';
import { summarise } from './latency-summary.js';

/** Latencies in microseconds, each of them once. */
function counts(valuesUs: readonly number[]): HdrCounts {
  const found = new HdrCounts();
  for (const value of valuesUs) found.addCells([cellOf(Math.max(1, Math.round(value))), 1]);
  return found;
}

describe('figures of trials together', () => {
  test('are those of the merged histogram, as the report has them', () => {
    const trials = [counts([100, 200, 300, 5000]), counts([150, 250, 90_000]), counts([])];
    const merged = new HdrCounts();
    for (const trial of trials) merged.addAll(trial);
    const { p50, p95, max } = summarise(merged);
    expect(new HistogramFigures(trials, [0.5, 0.95, 'max']).read([1, 1, 1])).toEqual([p50, p95, max]);
    const [mean] = new HistogramFigures(trials, ['mean']).read([1, 1, 1]);
    expect(mean).toBeCloseTo((100 + 200 + 300 + 5000 + 150 + 250 + 90_000) / 7 / 1000, 1);
  });

  test('count a trial as often as it was drawn, and have none without data', () => {
    const figures = new HistogramFigures([counts([100, 100, 100]), counts([900])], [0.5]);
    expect(figures.read([1, 0])[0]).toBeCloseTo(0.1, 3);
    expect(figures.read([1, 4])[0]).toBeCloseTo(0.9, 3);
    expect(figures.read([0, 0])).toEqual([Number.NaN]);
    expect(
      new RatioFigures([
        { of: 10, per: 2 },
        { of: 10, per: 8 },
      ]).read([1, 1]),
    ).toEqual([2]);
    expect(new RatioFigures([{ of: 0, per: 0 }]).read([1])).toEqual([Number.NaN]);
  });
});

describe('what chance makes of a difference', () => {
  // Of the 20 ways to deal 6 values out in threes, the observed one and its mirror are the only ones as far apart.
  test('by permutations of all trials, exactly', () => {
    expect(permutations([1, 2, 3], [4, 5, 6], 1)).toBeCloseTo(2 / 20, 12);
    expect(permutations([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 1)).toBeCloseTo(2 / 924, 12);
    expect(permutations([1, 1, 1], [1, 1, 1], 1)).toBe(1);
  });

  test('by sign flips of pairs, exactly', () => {
    expect(signFlips([1, 2, 3, 4, 5, 6], 1)).toBeCloseTo(2 / 64, 12);
    expect(signFlips([1, -1, 1, -1], 1)).toBe(1);
  });

  test('of many tests: only as many are found as may be', () => {
    // Benjamini and Hochberg's own example (1995): four of fifteen at 5 %.
    const published = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    expect(discoveries(published, 0.05).filter(Boolean)).toHaveLength(4);
    expect(discoveries([], 0.05)).toEqual([]);
  });

  // Newcombe 1998, table II, method 10: 56/70 against 48/80.
  test('of two shares of counted events', () => {
    const { low, high } = differenceOfShares([48, 80], [56, 70]);
    expect([low, high].map((value) => value.toFixed(4))).toEqual(['0.0524', '0.3339']);
    const none = differenceOfShares([0, 100], [0, 100]);
    expect(none.high).toBeGreaterThan(0.03);
    expect(none.low).toBeLessThan(-0.03);
  });
});

describe('the interval of an effect', () => {
  const normal = normals(mulberry32(11));
  const side = (trials: number, shift: number) =>
    new RatioFigures(Array.from({ length: trials }, () => ({ of: Math.exp(shift + 0.07 * normal()), per: 1 })));
  const sides = [
    ['unpaired', [6, 9, 20]],
    ['paired', [6, 9, 20]],
  ] as const;

  test.each(sides)('holds the true effect 95 times in 100: %s', (kind, numbers) => {
    for (const trials of numbers) {
      let held = 0;
      const rounds = 250;
      for (let round = 0; round < rounds; round += 1) {
        const [found] = effectsOf(side(trials, 0), side(trials, 0.05), ['ratio'], { kind }, round);
        if (found !== undefined && found.low <= 0.05 && found.high >= 0.05) held += 1;
      }
      // Three standard errors of 250 rounds are 0.041.
      expect([trials, held / rounds > 0.905]).toEqual([trials, true]);
    }
  });

  test('of one run a side is as wide as runs are known to differ', () => {
    const figures = new RatioFigures(Array.from({ length: 20 }, (_, at) => ({ of: 100 + (at % 3), per: 1 })));
    const strata = Array.from({ length: 20 }, () => 0);
    const widthWith = (between: number): number => {
      const design = { kind: 'blocks', strata: [strata, strata], between: () => between } as const;
      const [found] = effectsOf(figures, figures, ['ratio'], design, 1);
      return (found?.high ?? 0) - (found?.low ?? 0);
    };
    expect(widthWith(0)).toBeLessThan(0.02);
    expect(widthWith(0.1)).toBeGreaterThan(0.4);
  });
});
