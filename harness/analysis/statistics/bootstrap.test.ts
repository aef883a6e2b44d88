import { describe, expect, test } from '@jest/globals';
import { bootstrapMedian } from './bootstrap.js';

describe('the interval of a median', () => {
  test('is the same for the same seed and holds the median', () => {
    const interval = bootstrapMedian([10, 12, 11, 30, 11], 3);
    expect(interval).toEqual(bootstrapMedian([10, 12, 11, 30, 11], 3));
    expect(interval?.median).toBe(11);
    expect(interval?.low).toBeLessThanOrEqual(11);
    expect(interval?.high).toBeGreaterThan(11);
  });
  test('needs values', () => expect(bootstrapMedian([], 1)).toBeUndefined());
});
