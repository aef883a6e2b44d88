import { expect, test } from '@jest/globals';
import { lognormal, SeededSequences, seeded, sigmaFor } from './random.js';

test('the same seed draws the same numbers, another seed others', () => {
  const draw = (seed: number): number[] => Array.from({ length: 5 }, seeded(seed));
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('a lognormal sequence has the median and the 99th percentile it was asked for', () => {
  const uniform = seeded(3);
  const sigma = sigmaFor(20, 100);
  const drawn = Array.from({ length: 50_000 }, () => lognormal(uniform, 20, sigma)).sort((a, b) => a - b);
  const quantile = (q: number): number => drawn[Math.floor(q * drawn.length)] ?? Number.NaN;
  expect(quantile(0.5) / 20).toBeCloseTo(1, 1);
  expect(quantile(0.99) / 100).toBeCloseTo(1, 1);
});

test('calls with one seed take turns on one sequence', () => {
  const sequences = new SeededSequences();
  const alone = seeded(1);
  const expected = [alone(), alone()];
  expect([sequences.of(1)(), sequences.of(1)()]).toEqual(expected);
  sequences.reset();
  expect(sequences.of(1)()).toBe(expected[0]);
});

test('no more sequences are kept than the limit', () => {
  const sequences = new SeededSequences(2);
  const first = sequences.of(1)();
  sequences.of(2)();
  sequences.of(3)();
  expect(sequences.of(1)()).toBe(first);
});
