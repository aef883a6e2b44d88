import { z } from 'zod';
import { percent } from '../../../analysis/format.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, share } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { buildReached, type ReachedRow, reachedRow } from './build.js';

const schema = {
  /** How many of the answers came from the server itself. Absent where nobody was asked. */
  reached: z.array(reachedRow).optional(),
  /** Why a count could not be read, by its source. */
  reachedProblems: z.record(z.string(), z.string()).optional(),
};

export const reached = {
  id: 'reached',
  title: 'Reached',
  needsLoad: true,
  schema,
  build: (input) => {
    const rows = buildReached(input);
    const problems = Object.fromEntries(input.facts.truthProblems);
    return {
      ...(rows.length === 0 ? {} : { reached: [...rows] }),
      ...(Object.keys(problems).length === 0 ? {} : { reachedProblems: problems }),
    };
  },
  when: ({ reached: rows, reachedProblems }) => rows !== undefined || reachedProblems !== undefined,
  html: ({ reached: rows = [], reachedProblems = {} }) => html`<p>How many of the answers came from the server behind
the target, as it says itself. Fewer than succeeded: something in front of it answers (a cache, or one answer for
several equal requests). More than were sent: something repeats requests without telling.</p>
${Object.entries(reachedProblems).map(
  ([source, problem]) => html`<p class="note">${source} could not be read: ${problem}</p>`,
)}
${table<ReachedRow>(
  'Answers that came from the server',
  [
    { head: 'Arm', cell: ({ arm }) => arm ?? '–' },
    { head: 'Operation', cell: ({ operation }) => operation ?? 'all', text: true },
    { head: 'Sent', cell: ({ sent }) => count(sent) },
    { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
    { head: 'Reached', cell: (one) => count(one.reached) },
    { head: 'Share', cell: (one) => share(one.share) },
    {
      head: 'Remarks',
      cell: (one) => (one.answer === 'all' ? '' : html`<span class="bad">${remarkOf(one)}</span>`),
      text: true,
    },
  ],
  rows,
)}`,
  markdown: ({ reached: rows = [] }) =>
    rows.length === 0
      ? ''
      : markdown.table(
          ['Arm', 'Operation', 'Sent', 'Succeeded', 'Reached the server', 'Remarks'],
          rows.map((one) => [
            markdown.text(one.arm ?? '–'),
            markdown.text(one.operation ?? 'all'),
            count(one.sent),
            count(one.succeeded),
            `${count(one.reached)} (${share(one.share)})`,
            remarkOf(one),
          ]),
        ),
} satisfies ReportSection<typeof schema>;

/** '' where every answer came from the server. */
export function remarkOf({ answer, reached: from, succeeded, sent }: ReachedRow): string {
  switch (answer) {
    case 'all':
      return '';
    case 'fewer':
      return `${percent(1 - from / succeeded)} of the answers did not come from the server: a cache, or shared answers`;
    case 'more':
      return `${count(from - sent)} more requests than the clients sent: hidden retries`;
  }
}
