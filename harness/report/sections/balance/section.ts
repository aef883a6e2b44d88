import { z } from 'zod';
import { balance as balanceOf } from '../../../analysis/judge/balance.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { count } from '../shared/fields.js';

const schema = {
  balance: z.array(
    z.strictObject({
      worker: z.string(),
      stage: z.string(),
      gap: count,
      offeredGap: z.number().int(),
      sentGap: z.number().int(),
      errorsGap: z.number().int(),
      workerLost: z.boolean(),
      /** Absent in reports of earlier versions. */
      batchesMissing: z.boolean().optional(),
    }),
  ),
};
type Row = SectionData<typeof schema>['balance'][number];

export const balance = {
  id: 'balance',
  title: 'Balance',
  schema,
  build: ({ plan, aggregate, facts }) => ({ balance: [...balanceOf(plan, aggregate, facts)] }),
  html: ({ balance: all }) => {
    const gaps = all.filter(({ gap }) => gap !== 0);
    if (gaps.length === 0)
      return html`<p>The counts of every worker add up in every stage (${all.length} checked):
offered = sent + dropped + unsent, sent = succeeded + failed + lost.</p>`;
    return table<Row>(
      `Gaps in ${gaps.length} of ${all.length} sets of counts, one for each worker and stage`,
      [
        { head: 'Worker', cell: ({ worker }) => worker },
        { head: 'Stage', cell: ({ stage }) => stage, text: true },
        { head: 'Offered', cell: ({ offeredGap }) => offeredGap },
        { head: 'Sent', cell: ({ sentGap }) => sentGap },
        { head: 'Errors', cell: ({ errorsGap }) => errorsGap },
        {
          head: 'Why',
          cell: why,
          text: true,
        },
      ],
      gaps,
      'balance.csv',
    );
  },
} satisfies ReportSection<typeof schema>;

function why({ workerLost, batchesMissing }: Row): string | Markup {
  if (workerLost) return 'the worker was lost before it reported the rest';
  if (batchesMissing === true) return 'the log lacks batches of this worker';
  return html`<span class="bad">a bug in swarmbench: please report it</span>`;
}
