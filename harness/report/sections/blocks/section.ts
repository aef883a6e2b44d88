import { z } from 'zod';
import { encodeCounts, type HdrCounts } from '../../../analysis/merge/hdr-counts.js';
import type { ReportSection } from '../report-section.js';
import { count } from '../shared/fields.js';

/** What `swarmbench compare` reads of a run: its measured time in parts of a second or more. */
export const blocksSchema = z.array(
  z.strictObject({
    stage: z.string(),
    trial: count,
    startSeconds: z.number(),
    seconds: z.number(),
    cells: z.array(
      z.strictObject({
        profile: z.string(),
        /** Absent for the operations of the profile that are not kept apart, because there are too many. */
        operation: z.string().optional(),
        offered: count,
        sent: count,
        succeeded: count,
        /** By the target; without what we caused. */
        failed: count,
        /** HdrHistogram V2 compressed, base64, microseconds. Absent when empty. */
        latency: z.string().optional(),
        service: z.string().optional(),
        /** Latency without what the generator itself may have added. */
        latencyFloor: z.string().optional(),
      }),
    ),
    connect: z.string().optional(),
  }),
);

const schema = { blocks: blocksSchema.optional() };

/** Not on the page: data for comparisons. */
export const blocks = {
  id: 'blocks',
  title: 'Blocks',
  unlisted: true,
  schema,
  build: ({ aggregate }) => {
    const all = aggregate.blocks();
    if (all.length === 0) return {};
    return {
      blocks: all.map(({ stage, fromMs, toMs, cells, connect }) => ({
        stage: stage.name,
        trial: stage.trial,
        startSeconds: fromMs / 1000,
        seconds: (toMs - fromMs) / 1000,
        cells: cells.map(({ operation, latency, service, latencyFloor, ...cell }) => ({
          ...cell,
          ...(operation === undefined ? {} : { operation }),
          ...encoded('latency', latency),
          ...encoded('service', service),
          ...encoded('latencyFloor', latencyFloor),
        })),
        ...encoded('connect', connect),
      })),
    };
  },
  when: () => false,
} satisfies ReportSection<typeof schema>;

function encoded<Name extends string>(name: Name, counts: HdrCounts): Partial<Record<Name, string>> {
  const text = encodeCounts(counts);
  return (text === undefined ? {} : { [name]: text }) as Partial<Record<Name, string>>;
}
