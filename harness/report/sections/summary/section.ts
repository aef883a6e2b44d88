import { z } from 'zod';
import { quantilesAsked } from '../../../analysis/facts/quantiles.js';
import { allStages } from '../../../analysis/facts/stages.js';
import { formatBytes, significant } from '../../../analysis/format.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import { percentiles, rate, table } from '../../text/markdown-table.js';
import { share } from '../../values.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { count, latencyBlock } from '../shared/fields.js';
import { peaksOf, trafficBlock, trafficFields } from '../shared/traffic.js';

const schema = {
  /** The measured stages together. */
  summary: z.strictObject({
    ...trafficFields,
    durationSeconds: z.number(),
    /** Of all stages: most sessions open in the warm-up, which is not measured. Absent in older reports. */
    wholeRun: z.strictObject({ connectMs: latencyBlock, sessionsOpened: count, connectionsOpened: count }).optional(),
  }),
};
export const ofWholeRun = ', whole run';
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
      wholeRun: wholeRun(input.aggregate.select({ stages: allStages(input.plan) })),
    },
  }),
  markdown: ({ summary: all }) => {
    const { lost, peak } = all.sessions;
    const opened = all.wholeRun?.sessionsOpened ?? all.sessions.opened;
    const errors = all.failed - all.byUs + all.lost;
    return table(
      ['Measured', 'Value'],
      [
        ['Throughput', rate(all.throughputPerSecond)],
        ['Offered', `${rate(all.offeredPerSecond)}, ${share(all.deliveredRatio)} delivered`],
        ['Errors', `${significant(errors)} (${share(all.errorRate)})`],
        ['Latency from due time', percentiles(all.latencyMs, all.latencyFloorMs)],
        ['Service time', percentiles(all.serviceMs, all.serviceFloorMs)],
        [`Connect${ofWholeRun}`, percentiles(all.wholeRun?.connectMs ?? all.connectMs)],
        [
          'Sessions',
          `${significant(opened)} opened in the whole run, ${significant(lost)} lost, ` +
            `at most ${peak === null ? '–' : significant(peak)} at once`,
        ],
        ['Traffic', `${formatBytes(all.bytesSent)} sent, ${formatBytes(all.bytesReceived)} received`],
      ],
    );
  },
} satisfies ReportSection<typeof schema>;

function wholeRun({ connect, sessions }: Totals): SummaryData['summary']['wholeRun'] {
  return {
    connectMs: summarise(connect),
    sessionsOpened: sessions.sessionsOpened,
    connectionsOpened: sessions.connectionsOpened,
  };
}
