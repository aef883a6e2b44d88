import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { decodeHistogram, encodeCells, HISTOGRAM_BOUNDS } from '../../../client-sim/protocol/histogram-codec.js';

/** A histogram of `hdr-histogram-js` with our bounds. Counts have 64 bits: a day at 200,000/s overflows 32. */
export function emptyHistogram(): Histogram {
  return build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 });
}

/**
 * Decodes with the library, which does not know the packed form (`packCells`): it gets such counts in its own.
 * @throws HistogramError when the text is not a histogram with our bounds
 */
export function decodeToHistogram(text: string): Histogram {
  const cells = decodeHistogram(text);
  return decodeFromCompressedBase64(text.includes(':') ? (encodeCells(cells) ?? '') : text);
}
