import { z } from 'zod';
import { quantilesAsked } from '../../../analysis/facts/quantiles.js';
import { formatBytes, significant } from '../../../analysis/format.js';
import { percentiles, rate, table } from '../../text/markdown-table.js';
import { share } from '../../values.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { peaksOf, trafficBlock, trafficFields } from '../shared/traffic.js';

const schema = {
  /** The measured stages together. */
  summary: z.strictObject({ ...trafficFields, durationSeconds: z.number() }),
};
export type SummaryData = SectionData<typeof schema>;

/** On the page its key figures stand below the verdict (`html/verdict.ts`). */
export const summary = {
  id: 'summary',
  title: 'Summary',
  schema,
  build: (input) => ({
    summary: {
      ...trafficBlock(
        input.aggregate.select({ stages: input.measured }),
        input.measuredSeconds,
        peaksOf(input, input.measured),
        quantilesAsked(input.plan),
      ),
      durationSeconds: input.measuredSeconds,
    },
  }),
  markdown: ({ summary: all }) => {
    const { opened, lost, peak } = all.sessions;
    const errors = all.failed - all.byUs + all.lost;
    return table(
      ['Measured', 'Value'],
      [
        ['Throughput', rate(all.throughputPerSecond)],
        ['Offered', `${rate(all.offeredPerSecond)}, ${share(all.deliveredRatio)} delivered`],
        ['Errors', `${significant(errors)} (${share(all.errorRate)})`],
        ['Latency from due time', percentiles(all.latencyMs, all.latencyFloorMs)],
        ['Service time', percentiles(all.serviceMs, all.serviceFloorMs)],
        ['Connect', percentiles(all.connectMs)],
        [
          'Sessions',
          `${significant(opened)} opened, ${significant(lost)} lost, ` +
            `at most ${peak === null ? '–' : significant(peak)} at once`,
        ],
        ['Traffic', `${formatBytes(all.bytesSent)} sent, ${formatBytes(all.bytesReceived)} received`],
      ],
    );
  },
} satisfies ReportSection<typeof schema>;
