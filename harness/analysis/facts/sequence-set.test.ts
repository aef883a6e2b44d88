import { describe, expect, test } from '@jest/globals';
import { SequenceSet } from './worker-counters.js';

describe('batch numbers', () => {
  test('come in any order, once each, and gaps are counted', () => {
    const set = new SequenceSet();
    expect([2, 1, 1, 5, 5, 3].map((sequence) => set.add(sequence))).toEqual([true, true, false, true, false, true]);
    expect([set.highest, set.missing]).toEqual([5, 1]);
    set.add(4);
    expect([set.highest, set.missing]).toEqual([5, 0]);
  });
});
