import { describe, expect, test } from '@jest/globals';
import { abortKinds, malformedKinds } from '../../scenarios/schema/misbehave.js';
import { ReconnectTimes } from '../engine/client-misbehaviour.js';
import { drawMisbehaviour } from './misbehaviour-kind.js';

const plan = {
  abort: { share: 0.2, kinds: abortKinds, how: 'close' as const },
  malformed: { share: 0.3, kinds: malformedKinds, oversizeBytes: 1 },
};
const draws = Array.from({ length: 20_000 }, (_, sequence) => ({ seed: 7, slot: sequence % 13, sequence }));

describe('deeds', () => {
  const deeds = draws.map((draw) => drawMisbehaviour(plan, draw));
  const share = (prefix: string): number =>
    deeds.filter((misbehaviourKind) => misbehaviourKind?.startsWith(prefix) === true).length / draws.length;

  test('have their shares, and each kind its part', () => {
    expect(share('abort/')).toBeCloseTo(0.2, 1);
    for (const kind of abortKinds) expect(share(`abort/${kind}`)).toBeGreaterThan(0.03);
    expect(share('malformed/')).toBeCloseTo(0.3, 1);
    for (const kind of malformedKinds) expect(share(`malformed/${kind}`)).toBeGreaterThan(0.015);
  });

  test('are the same for the same seed, and others for another', () => {
    expect(draws.map((draw) => drawMisbehaviour(plan, draw))).toEqual(deeds);
    expect(draws.map((draw) => drawMisbehaviour(plan, { ...draw, seed: 8 }))).not.toEqual(deeds);
  });

  test('are none where none are asked for', () => {
    expect(draws.every((draw) => drawMisbehaviour({ readBytesPerSecond: 1 }, draw) === undefined)).toBe(true);
  });
});

describe('storms', () => {
  const times = (place: number, together: boolean, fromMs = 0): readonly number[] => {
    const storm = new ReconnectTimes({ everyMs: 1000, together, session: 'keep' }, place, fromMs);
    return Array.from({ length: 3 }, () => {
      const { nextMs } = storm;
      expect(storm.isDue(nextMs - 1)).toBe(false);
      expect(storm.isDue(nextMs)).toBe(true);
      return nextMs;
    });
  };

  test('come for all at the same times, also for those that join later', () => {
    expect(times(0, true)).toEqual([1000, 2000, 3000]);
    expect(times(0.75, true, 1500)).toEqual([2000, 3000, 4000]);
  });

  test('or for each at its own', () => {
    expect([0, 0.25, 0.5].map((place) => times(place, false)[0])).toEqual([1000, 1250, 1500]);
  });

  test('that come late are made once, not made up for', () => {
    const storm = new ReconnectTimes({ everyMs: 1000, together: true, session: 'keep' }, 0, 0);
    expect(storm.isDue(3400)).toBe(true);
    expect(storm.nextMs).toBe(4000);
  });
});
