import { describe, expect, test } from '@jest/globals';
import { draw32 } from '../mcp/draw.js';
import { SequenceTracker } from './subscriber.js';

function heard(numbers: readonly number[]): string[] {
  const tracker = new SequenceTracker();
  return numbers.map((number) => tracker.hear(number));
}

describe('a subscriber tells', () => {
  test.each([
    ['numbers in order', [5, 6, 7], ['first', 'next', 'next']],
    ['a gap that is filled later', [0, 3, 1, 2, 4], ['first', 'next', 'late', 'late', 'next']],
    ['numbers it has heard', [0, 1, 0, 1, 2, 2], ['first', 'next', 'duplicate', 'duplicate', 'next', 'duplicate']],
    ['the same number of a gap twice', [0, 9, 4, 4], ['first', 'next', 'late', 'duplicate']],
    ['what came before the first it heard', [5, 4, 5], ['first', 'duplicate', 'duplicate']],
  ])('%s', (_, numbers, expected) => {
    expect(heard(numbers)).toEqual(expected);
  });

  test('each number from the first on once as new, whatever the order and however often it comes', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = (position: number, below: number): number =>
        draw32({ seed, slot: 0, sequence: 0 }, position) % below;
      const numbers = [0, ...Array.from({ length: 300 }, (_, index) => random(index, 60))];
      const fresh = heard(numbers).flatMap((arrival, index) => (arrival === 'duplicate' ? [] : [numbers[index]]));
      expect([...fresh].sort((a = 0, b = 0) => a - b)).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    }
  });

  test('gaps without end do not take memory without end: those long ago are given up', () => {
    const tracker = new SequenceTracker();
    for (let number = 0; number < 20_000; number += 2) tracker.hear(number);
    expect(tracker.hear(1)).toBe('duplicate');
    expect(tracker.hear(19_997)).toBe('late');
  });
});
