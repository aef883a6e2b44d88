import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { build, encodeIntoCompressedBase64, Int32Histogram } from 'hdr-histogram-js';
import { decodeToHistogram, emptyHistogram } from '../../tests/support/protocol/library-histogram.js';
import {
  type CellList,
  cellList,
  cellLowest,
  cellOf,
  cellWidth,
  decodeHistogram,
  encodeCells,
  HISTOGRAM_BOUNDS,
  HISTOGRAM_CELLS,
  HistogramError,
  packCells,
  packToBytes,
  unpackBytes,
} from './histogram-codec.js';

const library = new Int32Histogram(1, HISTOGRAM_BOUNDS.highestTrackableValue, 3);
const microseconds = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: HISTOGRAM_BOUNDS.highestTrackableValue }),
);
const cells = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: HISTOGRAM_CELLS - 1 }),
      fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    ),
    { minLength: 0, maxLength: 300 },
  )
  .map((counts) => new Map([...counts, [1, 1] as [number, number]]));

// Before all others: the buffer of the module has its first size, and must grow for this one.
test('the first histogram of a process may be the largest', () => {
  const all = Array.from({ length: HISTOGRAM_CELLS }, (_, cell) => [cell, 1 + (cell % 7)]).flat();
  expect(decodeHistogram(packCells(all) ?? '')).toEqual(all);
});

describe('the layout of cells is that of HdrHistogram', () => {
  test('there are as many cells', () => {
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

describe('encoding', () => {
  test('writes any counts in any order byte for byte as the library does', () => {
    fc.assert(
      fc.property(cells, (counts) => {
        const model = build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 }) as unknown as LibraryHistogram;
        for (const [cell, count] of counts) model.setCountAtIndex(cell, count);
        model.establishInternalTackingValues();
        const ours = encodeCells(cellList(counts)) ?? '';
        expect(payload(ours).equals(payload(model.encodeIntoCompressedBase64()))).toBe(true);
        expect(decodeToHistogram(ours).totalCount).toBe([...counts.values()].reduce((sum, count) => sum + count, 0));
      }),
      { numRuns: 60 },
    );
  });

  test('gives nothing where nothing was counted', () => {
    for (const empty of [new Map(), new Map([[7, 0]])]) {
      expect(encodeCells(cellList(empty))).toBeUndefined();
      expect(packCells(cellList(empty))).toBeUndefined();
    }
  });
});

describe('decoding', () => {
  test('gives back the cells that were encoded or packed, in ascending order', () => {
    fc.assert(
      fc.property(cells, (counts) => {
        const counted = inOrder(counts);
        expect(cellList(counts)).toEqual(counted);
        expect(decodeHistogram(encodeCells(counted) ?? '')).toEqual(counted);
        expect(decodeHistogram(packCells(counted) ?? '')).toEqual(counted);
        expect(unpackBytes(packToBytes(counted))).toEqual(counted);
      }),
      { numRuns: 60 },
    );
  });

  test('reads what the library encodes', () => {
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1, maxLength: 300 }), (values) => {
        const model = emptyHistogram();
        const expected = new Map<number, number>();
        for (const us of values) {
          model.recordValue(us);
          expected.set(cellOf(us), (expected.get(cellOf(us)) ?? 0) + 1);
        }
        expect(decodeHistogram(encodeIntoCompressedBase64(model))).toEqual(inOrder(expected));
      }),
      { numRuns: 60 },
    );
  });

  test('reads a count beyond 32 bits', () => {
    const model = emptyHistogram();
    model.recordValueWithCount(1234, 7_000_000_000);
    expect(decodeHistogram(encodeIntoCompressedBase64(model))).toEqual([cellOf(1234), 7_000_000_000]);
    const large = [cellOf(1234), 2 ** 52 - 1];
    expect(decodeHistogram(packCells(large) ?? '')).toEqual(large);
    expect(decodeHistogram(encodeCells(large) ?? '')).toEqual(large);
  });

  const good = encodeCells([1, 2]) ?? '';
  test.each([
    ['nothing', '', 'not an HdrHistogram'],
    ['text', 'bm90IGEgaGlzdG9ncmFt', 'not an HdrHistogram'],
    ['a cut histogram', good.slice(0, 20), 'compressed part is broken'],
    ['a packed histogram that ends in a count', `c:${Buffer.from([1]).toString('base64')}`, 'in the middle of a count'],
    ['a packed histogram with an empty cell', `c:${Buffer.from([1, 0]).toString('base64')}`, 'with an empty cell'],
    [
      'a packed histogram beyond an hour',
      `c:${Buffer.from([0xff, 0xff, 0x03, 1]).toString('base64')}`,
      'beyond its highest value',
    ],
    [
      'a histogram with other bounds',
      encodeIntoCompressedBase64(
        build({ lowestDiscernibleValue: 1, highestTrackableValue: 1000, numberOfSignificantValueDigits: 2 }),
      ),
      'with bounds 1..1000, 2 digits; only 1..3600000000, 3 digits merge without loss',
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => decodeHistogram(text)).toThrow(HistogramError);
    expect(() => decodeHistogram(text)).toThrow(message);
  });
});

function inOrder(counts: ReadonlyMap<number, number>): CellList {
  return [...counts]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => a - b)
    .flat();
}

interface LibraryHistogram {
  setCountAtIndex(index: number, value: number): void;
  establishInternalTackingValues(): void;
  encodeIntoCompressedBase64(): string;
}

/** The counts without their two envelopes: compression and two header fields are each writer's own. */
function payload(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  expect(bytes.readInt32BE(0)).toBe(0x1c849314);
  expect(bytes.readInt32BE(4)).toBe(bytes.length - 8);
  const content = inflateSync(bytes.subarray(8));
  expect(content.readInt32BE(0)).toBe(0x1c849313);
  expect(content.readInt32BE(4)).toBe(content.length - 40);
  return content.subarray(40);
}
