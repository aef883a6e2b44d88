import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { decodeHistogram, HISTOGRAM_BOUNDS } from '../../../client-sim/protocol/histogram-codec.js';

/** A histogram of `hdr-histogram-js` with our bounds. Counts have 64 bits: a day at 200,000/s overflows 32. */
export function emptyHistogram(): Histogram {
  return build({ ...HISTOGRAM_BOUNDS, bitBucketSize: 64 });
}

/** Decodes with the library. @throws HistogramError when the text is not a histogram with our bounds */
export function decodeToHistogram(base64: string): Histogram {
  decodeHistogram(base64);
  return decodeFromCompressedBase64(base64);
}
