import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Int32Histogram } from 'hdr-histogram-js';
import { decodeToHistogram } from '../../tests/support/protocol/library-histogram.js';
import { cellList, cellOf, encodeCells, HISTOGRAM_BOUNDS } from '../protocol/histogram-codec.js';
import { cellAt, DurationHistogram, percentileMs, recordable } from './duration-histogram.js';

const microseconds = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: HISTOGRAM_BOUNDS.highestTrackableValue }),
);

test.each([
  [Number.NaN, 0],
  [-5, 0],
  [0, 0],
  [0.0004, 0],
  [0.0006, 1],
  [1.5, 1_500],
  [Infinity, 3_600_000_000],
  [4e9, 3_600_000_000],
])('%p ms is recorded as %p us', (ms, us) => {
  expect(recordable(ms)).toBe(us);
});

test('the cell of any duration is that of the microseconds it is recorded as', () => {
  const ms = fc.oneof(
    fc.double({ min: -10, max: 5_000_000 }),
    fc.integer({ min: 0, max: 2_000_000 }).map((us) => us / 1000),
    fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1_073_741.822, 1_073_741.823, 1_073_741.824),
  );
  fc.assert(
    fc.property(ms, (one) => expect(cellAt(one)).toBe(cellOf(recordable(one)))),
    { numRuns: 2_000 },
  );
});

test('the encoded histogram has what was recorded, and percentiles agree with the library', () => {
  fc.assert(
    fc.property(fc.array(microseconds, { minLength: 1, maxLength: 200 }), (values) => {
      const cells = new DurationHistogram();
      const model = new Int32Histogram(1, HISTOGRAM_BOUNDS.highestTrackableValue, 3);
      for (const us of values) {
        cells.record(us / 1000);
        model.recordValue(us);
      }
      expect(cells.total).toBe(values.length);
      const drained = new Map<number, number>();
      cells.drain((cell, count) => drained.set(cell, count));
      const decoded = decodeToHistogram(encodeCells(cellList(drained)) ?? '');
      expect(decoded.totalCount).toBe(values.length);
      for (const percentile of [50, 99]) {
        expect(decoded.getValueAtPercentile(percentile)).toBe(model.getValueAtPercentile(percentile));
        expect(percentileMs(drained, percentile)).toBeCloseTo(model.getValueAtPercentile(percentile) / 1000, 6);
      }
      expect(cells.empty).toBe(true);
    }),
    { numRuns: 30 },
  );
});
