import { z } from 'zod';
import { formatMs, plural, whole } from '../../../analysis/format.js';
import { html } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import type { ReportSection, SectionData } from '../report-section.js';
import { count } from '../shared/fields.js';

const schema = {
  /** How the gateway under test was told of the servers behind it. Absent where there were none. */
  upstreams: z
    .strictObject({
      servers: count,
      /** Of all the servers together. */
      tools: count,
      /** What the gateway lists in all: its own tools may be among them. */
      listed: count,
      /** How long `target.prepare` took. */
      prepareMs: z.number(),
      /** From the start of `target.prepare` until a session was seen to list all tools. */
      allListedMs: z.number(),
      /** The time of the look before that one, at which tools were missing: the truth lies between. */
      notYetMs: z.number(),
      /** How long that session took to read the list of tools. */
      listMs: z.number(),
    })
    .optional(),
};
type Upstreams = NonNullable<SectionData<typeof schema>['upstreams']>;

export const upstreams = {
  id: 'upstreams',
  title: 'Upstreams',
  schema,
  build: ({ facts: { registered } }) => (registered === undefined ? {} : { upstreams: registered }),
  when: (report) => report.upstreams !== undefined,
  html: (report) => html`<p>How long it took until the gateway listed the tools of the servers behind it. It was looked
at again and again, each time in a new session; the time lies between the last look at which tools were missing and the
first at which none was.</p>
${table<readonly [string, string]>(
  'The servers behind the gateway',
  [
    { head: 'What', cell: ([what]) => what, text: true },
    { head: 'Value', cell: ([, value]) => value },
  ],
  report.upstreams === undefined ? [] : rowsOf(report.upstreams),
)}`,
  markdown: (report) =>
    report.upstreams === undefined ? '' : markdown.table(['Servers behind the gateway', ''], rowsOf(report.upstreams)),
} satisfies ReportSection<typeof schema>;

function rowsOf(of: Upstreams): readonly (readonly [string, string])[] {
  return [
    ['servers', whole(of.servers)],
    ['tools', whole(of.tools)],
    ['tools that the gateway lists', whole(of.listed)],
    ['prepare took', formatMs(of.prepareMs)],
    ['all tools listed', listedAfter(of)],
    ['reading the list took', formatMs(of.listMs)],
  ];
}

function listedAfter({ notYetMs, allListedMs }: Upstreams): string {
  return `after ${formatMs(notYetMs)} to ${formatMs(allListedMs)}`;
}

/** In one line, for the terminal. */
export function upstreamsText(of: Upstreams): string {
  return `${plural(of.tools, 'tool')} of ${plural(of.servers, 'server')} listed ${listedAfter(of)}`;
}
