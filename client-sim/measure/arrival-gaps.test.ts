import { expect, test } from '@jest/globals';
import { ArrivalGaps, addGaps } from './arrival-gaps.js';
import { cellAt, percentileMs } from './duration-histogram.js';

function sendEach(gaps: ArrivalGaps, plannedMs: readonly number[], lateMs = 0): void {
  for (const atMs of plannedMs) {
    gaps.add(atMs);
    gaps.leave(atMs + lateMs);
  }
}
const evenly = Array.from({ length: 101 }, (_, i) => 100 + i * 5);

test('operations that leave as planned have the gaps of the plan, also when all of them are equally late', () => {
  for (const lateMs of [0, 3]) {
    const gaps = new ArrivalGaps();
    sendEach(gaps, evenly, lateMs);
    const taken = gaps.take();
    expect(taken?.sent).toEqual(taken?.planned);
    expect(taken?.sent).toEqual(new Map([[cellAt(5), 100]]));
    expect(gaps.take()).toBeUndefined();
  }
});

test('a stall shows as one long gap and a burst, whatever the order in which the clients are served', () => {
  const gaps = new ArrivalGaps();
  sendEach(gaps, evenly.slice(0, 51));
  for (const atMs of evenly.slice(51).reverse()) gaps.add(atMs);
  gaps.leave(1_000);
  const taken = gaps.take();
  expect(taken?.planned).toEqual(new Map([[cellAt(5), 100]]));
  expect(taken?.sent.get(cellAt(0))).toBe(49);
  expect(percentileMs(taken?.sent ?? new Map(), 100)).toBeGreaterThan(600);
});

test('gaps of threads add up', () => {
  const one = { planned: new Map([[1, 2]]), sent: new Map([[1, 2]]) };
  expect(addGaps(one, { planned: new Map([[1, 1]]), sent: new Map([[3, 1]]) })).toEqual({
    planned: new Map([[1, 3]]),
    sent: new Map([
      [1, 2],
      [3, 1],
    ]),
  });
  expect(addGaps(undefined, one)).toBe(one);
  expect(addGaps(undefined, undefined)).toBeUndefined();
});
