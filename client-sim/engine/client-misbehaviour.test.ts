import { describe, expect, test } from '@jest/globals';
import { ReconnectTimes } from './client-misbehaviour.js';

describe('reconnects', () => {
  const times = (place: number, together: boolean, fromMs = 0): readonly number[] => {
    const reconnects = new ReconnectTimes({ everyMs: 1000, together, session: 'keep' }, place, fromMs);
    return Array.from({ length: 3 }, () => {
      const { nextMs } = reconnects;
      expect(reconnects.isDue(nextMs - 1)).toBe(false);
      expect(reconnects.isDue(nextMs)).toBe(true);
      return nextMs;
    });
  };

  test('happen at the same times for all clients, also for those that join later', () => {
    expect(times(0, true)).toEqual([1000, 2000, 3000]);
    expect(times(0.75, true, 1500)).toEqual([2000, 3000, 4000]);
  });

  test('happen at different times for each client', () => {
    expect([0, 0.25, 0.5].map((place) => times(place, false)[0])).toEqual([1000, 1250, 1500]);
  });

  test('that are late happen once, without catching up', () => {
    const reconnects = new ReconnectTimes({ everyMs: 1000, together: true, session: 'keep' }, 0, 0);
    expect(reconnects.isDue(3400)).toBe(true);
    expect(reconnects.nextMs).toBe(4000);
  });
});
