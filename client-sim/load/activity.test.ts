import { expect, test } from '@jest/globals';
import { ActivityCursor } from './activity.js';

function cursor(intervals: readonly (readonly [fromMs: number, toMs: number])[], fromMs = 0): ActivityCursor {
  const made = new ActivityCursor();
  made.begin(
    intervals.map(([from, to]) => ({ fromMs: from, toMs: to })),
    fromMs,
  );
  return made;
}

test('a client is active within its intervals, their ends excluded', () => {
  const one = cursor([
    [10, 20],
    [30, 40],
  ]);
  expect([0, 10, 19.9, 20, 29, 30, 39, 40, 100].map((nowMs) => one.holdsAt(nowMs))).toEqual([
    false,
    true,
    true,
    false,
    false,
    true,
    true,
    false,
    false,
  ]);
});

test('activity ends at the end of the interval, however late that is noticed', () => {
  const one = cursor([
    [10, 20],
    [30, 40],
  ]);
  expect(one.holdsAt(15)).toBe(true);
  expect(one.holdsAt(27)).toBe(false);
  expect(one.endedMs).toBe(20);
  expect(one.holdsAt(99)).toBe(false);
  expect(one.endedMs).toBe(40);
});

test('activity that an adjustment removes ends when that is noticed', () => {
  const one = cursor([[0, 100]]);
  expect(one.holdsAt(50)).toBe(true);
  one.replace([{ fromMs: 200, toMs: 300 }]);
  expect(one.holdsAt(60)).toBe(false);
  expect(one.endedMs).toBe(60);
});

test('nothing happens before the time of joining, and the client wakes then', () => {
  const one = cursor([[0, 100]], 40);
  expect(one.holdsAt(39)).toBe(false);
  expect(one.changesAt(false, 39)).toBe(40);
  expect(one.holdsAt(40)).toBe(true);
  expect(one.changesAt(true, 40)).toBe(100);
});

test('without further intervals a client never wakes, except at once if it takes itself to be active', () => {
  const one = cursor([[0, 10]]);
  expect(one.holdsAt(10)).toBe(false);
  expect(one.changesAt(false, 10)).toBe(Infinity);
  expect(one.changesAt(true, 10)).toBe(10);
});
