import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { build, Int32Histogram } from 'hdr-histogram-js';
import { decodeToHistogram, encodeCells, HISTOGRAM_BOUNDS, HISTOGRAM_CELLS } from '../protocol/histogram-codec.js';
import {
  cellAt,
  cellLowest,
  cellOf,
  cellWidth,
  DurationHistogram,
  percentileMs,
  recordable,
} from './duration-histogram.js';

const library = new Int32Histogram(1, HISTOGRAM_BOUNDS.highestTrackableValue, 3);
const microseconds = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: HISTOGRAM_BOUNDS.highestTrackableValue }),
);

describe("the layout of cells is HdrHistogram's own", () => {
  test('there are as many', () => {
    expect(library.countsArrayLength).toBe(HISTOGRAM_CELLS);
  });

  test('each value has the same index, and lies within its cell', () => {
    fc.assert(
      fc.property(microseconds, (us) => {
        const cell = cellOf(us);
        expect(cell).toBe(library.countsArrayIndex(us));
        expect(us).toBeGreaterThanOrEqual(cellLowest(cell));
        expect(us).toBeLessThan(cellLowest(cell) + cellWidth(cell));
      }),
      { numRuns: 2_000 },
    );
  });
});

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

test('what was recorded comes out of the encoded histogram, and percentiles agree with the library', () => {
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
      const decoded = decodeToHistogram(encodeCells(drained) ?? '');
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

test('counts are encoded as the library does, byte for byte, whatever they are and in whatever order they come', () => {
  const cell = fc.integer({ min: 0, max: HISTOGRAM_CELLS - 1 });
  const count = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
  const one = [1, 1] as [number, number];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, count), { minLength: 0, maxLength: 300 }).map((some) => [...some, one]),
      (counts) => {
        const cells = new Map(counts);
        const model = build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 }) as unknown as Encoder;
        for (const [index, value] of cells) model.setCountAtIndex(index, value);
        model.establishInternalTackingValues();
        const ours = encodeCells(cells) ?? '';
        expect(payload(ours).equals(payload(model.encodeIntoCompressedBase64()))).toBe(true);
        expect(decodeToHistogram(ours).totalCount).toBe([...cells.values()].reduce((sum, value) => sum + value, 0));
      },
    ),
    { numRuns: 60 },
  );
});

test('nothing is encoded where nothing was counted', () => {
  expect(encodeCells(new Map())).toBeUndefined();
  expect(encodeCells(new Map([[7, 0]]))).toBeUndefined();
});

interface Encoder {
  setCountAtIndex(index: number, value: number): void;
  establishInternalTackingValues(): void;
  encodeIntoCompressedBase64(): string;
}

/** The counts, without their two envelopes: compression, and two fields of the head, are the writer's own. */
function payload(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  expect(bytes.readInt32BE(0)).toBe(0x1c849314);
  expect(bytes.readInt32BE(4)).toBe(bytes.length - 8);
  const content = inflateSync(bytes.subarray(8));
  expect(content.readInt32BE(0)).toBe(0x1c849313);
  expect(content.readInt32BE(4)).toBe(content.length - 40);
  return content.subarray(40);
}

test('a histogram with other bounds is refused', () => {
  const other = new Int32Histogram(1, 1_000, 2) as unknown as { encodeIntoCompressedBase64(): string };
  expect(() => decodeToHistogram(other.encodeIntoCompressedBase64())).toThrow('other bounds');
});
