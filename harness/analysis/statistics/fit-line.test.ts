import { describe, expect, test } from '@jest/globals';
import { mulberry32, normals } from './distributions.js';
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

  // Expected values: the textbook formulas, worked out by hand for x = 1..5, y = 2, 4, 5, 4, 5.
  test('has the slope of the textbook', () => {
    const fit = fitLine([2, 4, 5, 4, 5].map((y, at) => ({ x: at + 1, y })));
    expect(fit?.slope).toBeCloseTo(0.6, 9);
    expect(fit?.r2).toBeCloseTo(0.6, 9);
  });

  test('covers the true slope where it says so: 20 to 300 samples, correlated up to 0.9', () => {
    const normal = normals(mulberry32(9));
    for (const samples of [20, 60, 300])
      for (const correlation of [0, 0.5, 0.9]) {
        let held = 0;
        const rounds = 400;
        for (let round = 0; round < rounds; round += 1) {
          let error = normal() / Math.sqrt(1 - correlation ** 2);
          const fit = fitLine(
            Array.from({ length: samples }, (_, x) => {
              const y = 2 * x + error;
              error = correlation * error + normal();
              return { x, y };
            }),
          );
          if (fit !== undefined && fit.low <= 2 && fit.high >= 2) held += 1;
        }
        // 95 %, less three standard errors of 400 rounds.
        expect([samples, correlation, held / rounds > 0.917]).toEqual([samples, correlation, true]);
      }
  });

  test('is hardly wider than needed where samples are many and independent', () => {
    const normal = normals(mulberry32(4));
    const fit = fitLine(Array.from({ length: 300 }, (_, x) => ({ x, y: normal() })));
    const textbook = (2 * 1.968) / Math.sqrt((300 * (300 ** 2 - 1)) / 12);
    expect(((fit?.high ?? Infinity) - (fit?.low ?? 0)) / textbook).toBeLessThan(1.25);
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
