import { z } from 'zod';
import type { SectionData } from '../report-section.js';
import { count } from '../shared/fields.js';

export const schema = {
  heatMap: z.strictObject({
    columnSeconds: count,
    rowsPerDecade: count,
    /** Row r holds latencies from 10^(r/rowsPerDecade) to 10^((r+1)/rowsPerDecade) microseconds. */
    firstRow: count,
    columns: z.array(z.array(count)),
  }),
  /**
   * HdrHistogram V2 compressed, base64, microseconds: `latency`, ... over measured stages; `stage/3/latency`;
   * `operation/PROFILE/NAME/latency`.
   */
  histograms: z.record(z.string(), z.string()),
};
export type LatencyData = SectionData<typeof schema>;
