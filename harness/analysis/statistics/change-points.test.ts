import { describe, expect, test } from '@jest/globals';
import { changePoints } from './change-points.js';
import { mulberry32, normals } from './distributions.js';

/** Runs whose noise is 5 % around each level. */
function series(levels: readonly (readonly [level: number, runs: number])[], seed: number): readonly number[] {
  const normal = normals(mulberry32(seed));
  return levels.flatMap(([level, runs]) => Array.from({ length: runs }, () => level * Math.exp(0.05 * normal())));
}

describe('change points', () => {
  test('are found where the level changed, within two runs', () => {
    const found = changePoints(
      series(
        [
          [100, 20],
          [120, 20],
          [90, 15],
        ],
        1,
      ),
    );
    expect(found).toHaveLength(2);
    expect(Math.abs((found[0]?.index ?? 0) - 20)).toBeLessThanOrEqual(2);
    expect(Math.abs((found[1]?.index ?? 0) - 40)).toBeLessThanOrEqual(2);
    expect(found[0]?.before).toBeCloseTo(100, -1);
    expect(found[0]?.after).toBeCloseTo(120, -1);
  });

  test('are rare where nothing changed: at most 3 in 100 series of 30 runs have one', () => {
    const withSome = Array.from({ length: 100 }, (_, seed) => changePoints(series([[100, 30]], seed))).filter(
      (found) => found.length > 0,
    );
    expect(withSome.length).toBeLessThanOrEqual(3);
  });

  test('are not made by an outlier, by equal values, or by too few runs', () => {
    expect(changePoints([...series([[100, 15]], 3), 5000, ...series([[100, 15]], 4)])).toEqual([]);
    expect(changePoints(Array.from({ length: 40 }, () => 7))).toEqual([]);
    expect(changePoints([1, 1, 1, 9, 9, 9])).toEqual([]);
    expect(changePoints([])).toEqual([]);
  });

  test('are the same each time', () => {
    const values = series(
      [
        [10, 12],
        [14, 12],
      ],
      9,
    );
    expect(changePoints(values)).toEqual(changePoints(values));
  });
});
