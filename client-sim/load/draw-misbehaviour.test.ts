import { describe, expect, test } from '@jest/globals';
import { abortKinds, malformedKinds } from '../../scenarios/schema/misbehave.js';
import { drawMisbehaviour } from './draw-misbehaviour.js';

const plan = {
  abort: { share: 0.2, kinds: abortKinds, how: 'close' as const },
  malformed: { share: 0.3, kinds: malformedKinds, oversizeBytes: 1 },
};
const draws = Array.from({ length: 20_000 }, (_, sequence) => ({ seed: 7, slot: sequence % 13, sequence }));

describe('the misbehaviour of operations', () => {
  const kinds = draws.map((draw) => drawMisbehaviour(plan, draw));
  const share = (prefix: string): number =>
    kinds.filter((kind) => kind?.startsWith(prefix) === true).length / draws.length;

  test('has the planned shares, and every kind occurs', () => {
    expect(share('abort/')).toBeCloseTo(0.2, 1);
    for (const kind of abortKinds) expect(share(`abort/${kind}`)).toBeGreaterThan(0.03);
    expect(share('malformed/')).toBeCloseTo(0.3, 1);
    for (const kind of malformedKinds) expect(share(`malformed/${kind}`)).toBeGreaterThan(0.015);
  });

  test('is the same for the same seed, and different for another seed', () => {
    expect(draws.map((draw) => drawMisbehaviour(plan, draw))).toEqual(kinds);
    expect(draws.map((draw) => drawMisbehaviour(plan, { ...draw, seed: 8 }))).not.toEqual(kinds);
  });

  test('is undefined where the plan asks for none', () => {
    expect(draws.every((draw) => drawMisbehaviour({ readBytesPerSecond: 1 }, draw) === undefined)).toBe(true);
  });
});
