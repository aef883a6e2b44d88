import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram, Int32Histogram } from 'hdr-histogram-js';

/**
 * The same bounds everywhere, so that merging loses nothing (design: measurement 8): integer microseconds, 1 us to
 * 1 h, 3 significant digits, no resizing.
 */
export const HISTOGRAM_BOUNDS = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
  autoResize: false,
} as const;

/** Number of count cells of a histogram with these bounds: 23 half buckets of 1,024. */
export const HISTOGRAM_CELLS = 23_552;

/** Counts in 64 bits: a day at 200,000/s overflows 32. */
export function emptyHistogram(): Histogram {
  return build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 });
}

/** HdrHistogram V2 compressed base64 to a histogram that can be merged with `add`. @throws Error when it is not one, or has other bounds */
export function decodeHistogram(base64: string): Histogram {
  const histogram = decodeFromCompressedBase64(base64);
  const same = histogram.highestTrackableValue === HISTOGRAM_BOUNDS.highestTrackableValue
    && histogram.numberOfSignificantValueDigits === HISTOGRAM_BOUNDS.numberOfSignificantValueDigits;
  if (!same) throw new Error('histogram has other bounds than 1 us .. 1 h with 3 digits: merging it would lose precision');
  return histogram;
}

const scratch = new Int32Histogram(
  HISTOGRAM_BOUNDS.lowestDiscernibleValue, HISTOGRAM_BOUNDS.highestTrackableValue, HISTOGRAM_BOUNDS.numberOfSignificantValueDigits,
);

/** Encodes counts by cell index (HdrHistogram's own layout) into V2 compressed base64; undefined when all are 0. */
export function encodeCells(cells: ReadonlyMap<number, number>): string | undefined {
  if (cells.size === 0) return undefined;
  scratch.reset();
  for (const [cell, count] of cells) scratch.setCountAtIndex(cell, count);
  scratch.establishInternalTackingValues();
  return encodeIntoCompressedBase64(scratch);
}
