import { expect, test } from '@jest/globals';
import { chooseOperation, draw32, drawBelow } from './draw.js';

const draw = { seed: 7, slot: 3, sequence: 11 };

test('draws are uniform over a hundred buckets', () => {
  const counts = new Array<number>(100).fill(0);
  for (let sequence = 0; sequence < 100_000; sequence++) (counts[drawBelow({ ...draw, sequence }, 1, 100)] as number)++;
  const chiSquared = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  // 99 degrees of freedom: beyond 150 once in a thousand; the draws are fixed, so this never flickers.
  expect(chiSquared).toBeLessThan(150);
});

test('neighbouring slots draw different values', () => {
  const values = new Set<number>();
  for (let slot = 0; slot < 100; slot++)
    for (let sequence = 0; sequence < 100; sequence++) values.add(draw32({ seed: 1, slot, sequence }, 0));
  expect(values.size).toBeGreaterThan(9_990);
});

test('operations are chosen in proportion to their weights', () => {
  const counts = [0, 0, 0];
  for (let sequence = 0; sequence < 20_000; sequence++)
    (counts[chooseOperation([7, 2, 1], { ...draw, sequence })] as number)++;
  expect(counts.map((count) => Math.round(count / 200) / 10)).toEqual([
    expect.closeTo(7, 0),
    expect.closeTo(2, 0),
    expect.closeTo(1, 0),
  ]);
});

test('an operation without weight is never chosen', () => {
  for (let sequence = 0; sequence < 1000; sequence++) expect(chooseOperation([0, 1, 0], { ...draw, sequence })).toBe(1);
});
