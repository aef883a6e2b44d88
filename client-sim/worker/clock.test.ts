import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clockOffset } from './clock.js';

test('the error of the offset is never larger than stated, whatever the network does', () => {
  const trip = fc.record({
    atMs: fc.integer({ min: 0, max: 1e6 }),
    thereMs: fc.double({ min: 0, max: 50, noNaN: true }),
    backMs: fc.double({ min: 0, max: 50, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.double({ min: -1e5, max: 1e5, noNaN: true }),
      fc.array(trip, { minLength: 1, maxLength: 8 }),
      (offsetMs, trips) => {
        const clock = clockOffset(
          trips.map(({ atMs, thereMs, backMs }) => ({
            sentAt: atMs,
            answeredAt: atMs + thereMs + backMs,
            theirs: Math.floor(atMs + thereMs + offsetMs),
          })),
        );
        expect(Math.abs(clock.offsetMs - offsetMs)).toBeLessThanOrEqual(clock.errorMs + 1e-6);
        expect(clock.roundTrips).toBe(trips.length);
      },
    ),
  );
});

test('the offset comes from the quickest round trip', () => {
  const clock = clockOffset([
    { sentAt: 0, answeredAt: 100, theirs: 1_090 },
    { sentAt: 200, answeredAt: 202, theirs: 1_201 },
  ]);
  expect(clock).toEqual({ offsetMs: 1_000.5, errorMs: 1.5, roundTrips: 2 });
});
