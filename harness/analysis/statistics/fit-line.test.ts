import { describe, expect, test } from '@jest/globals';
import { fitLine } from './fit-line.js';

/** Repeatable noise in -1 to 1. */
function noise(at: number): number {
  return (Math.sin(at * 12.9898) * 43758.5453) % 1;
}

describe('a line', () => {
  test('is found exactly through points on a line', () => {
    const fit = fitLine(Array.from({ length: 20 }, (_, x) => ({ x, y: 5 + 3 * x })));
    expect(fit?.slope).toBeCloseTo(3, 9);
    expect(fit?.low).toBeCloseTo(3, 6);
    expect(fit?.high).toBeCloseTo(3, 6);
    expect(fit?.r2).toBeCloseTo(1, 9);
  });

  // Expected values: the textbook formulas, worked out by hand for x = 1..5, y = 2, 4, 5, 4, 5: slope 0.6, standard
  // error 0.2828.
  test('has the interval of the textbook where samples are independent', () => {
    const fit = fitLine([2, 4, 5, 4, 5].map((y, at) => ({ x: at + 1, y })));
    expect(fit?.slope).toBeCloseTo(0.6, 9);
    expect(fit?.r2).toBeCloseTo(0.6, 9);
    // t with 3 degrees of freedom is 3.182.
    expect(((fit?.high ?? 0) - (fit?.low ?? 0)) / 2).toBeCloseTo(0.2828 * 3.182, 1);
  });

  test('through noise alone has an interval around zero', () => {
    const fit = fitLine(Array.from({ length: 200 }, (_, x) => ({ x, y: noise(x) })));
    expect(fit?.low).toBeLessThan(0);
    expect(fit?.high).toBeGreaterThan(0);
  });

  test('is less certain when its samples are correlated', () => {
    const width = (points: readonly number[]): number => {
      const fit = fitLine(points.map((y, x) => ({ x, y })));
      return (fit?.high ?? Infinity) - (fit?.low ?? -Infinity);
    };
    const independent = Array.from({ length: 120 }, (_, at) => noise(at));
    const each = Array.from({ length: 120 }, (_, at) => noise(Math.floor(at / 6)));
    expect(width(each)).toBeGreaterThan(1.5 * width(independent));
  });

  test('needs points that differ', () => {
    expect(
      fitLine([
        { x: 1, y: 1 },
        { x: 2, y: 2 },
        { x: 3, y: 3 },
      ]),
    ).toBeUndefined();
    expect(fitLine(Array.from({ length: 20 }, (_, at) => ({ x: 7, y: at })))).toBeUndefined();
  });
});
