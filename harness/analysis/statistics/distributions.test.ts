import { describe, expect, test } from '@jest/globals';
import { mulberry32, normalCdf, normalQuantile, normals, studentQuantile } from './distributions.js';

describe('quantiles are those of printed tables', () => {
  test.each([
    [0.975, 1.959964],
    [0.95, 1.644854],
    [0.001, -3.090232],
  ])('normal, %d', (share, expected) => {
    expect(normalQuantile(share)).toBeCloseTo(expected, 5);
    expect(normalCdf(expected)).toBeCloseTo(share, 6);
  });

  test.each([
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [4, 2.7764],
    [5, 2.5706],
    [10, 2.2281],
    [18, 2.1009],
    [100, 1.984],
    [1e6, 1.95996],
  ])('Student, 97.5 % with %d degrees of freedom', (freedom, expected) => {
    expect(studentQuantile(0.975, freedom)).toBeCloseTo(expected, 2);
  });
});

test('normal numbers are the same for the same seed, and normal', () => {
  const draws = Array.from({ length: 20_000 }, normals(mulberry32(3)));
  expect(Array.from({ length: 20_000 }, normals(mulberry32(3)))).toEqual(draws);
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  expect(draws.filter((draw) => draw > 1.96).length / draws.length).toBeCloseTo(0.025, 2);
});
