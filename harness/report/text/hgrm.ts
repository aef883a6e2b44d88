import { decodeCounts, toHistogram } from '../../analysis/merge/hdr-counts.js';
import type { Report } from '../schema.js';

/** Latency of the measured stages as HdrHistogram's percentile distribution in milliseconds, for its plotter. */
export function renderHgrm({ histograms }: Report): string {
  const latency = histograms.latency;
  return latency === undefined
    ? '#[no successful operation in a measured stage]\n'
    : toHistogram(decodeCounts(latency)).outputPercentileDistribution(5, 1000);
}
