import { significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, ms } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { buildStreams } from './build.js';
import { type Deliveries, type StreamSums, type Streams, schema } from './schema.js';

export const streams = {
  id: 'streams',
  title: 'Streams',
  needsLoad: true,
  schema,
  build: (input) => {
    const built = buildStreams(input);
    return built === undefined ? {} : { streams: built };
  },
  when: ({ streams: all }) => all !== undefined,
  html: ({ streams: all }) => (all === undefined ? html`` : page(all)),
  markdown: ({ streams: all }) => (all === undefined ? '' : markdown.table(['Streams', 'Value'], markdownRows(all))),
} satisfies ReportSection<typeof schema>;

function page({ summary, stages, profiles, deliveries }: Streams): Markup {
  return html`<p>Delivery time runs from when a publication was due until a subscriber read it.
${clockText(summary.clockErrorMs)}</p>
<div class="stack">
${deliveries === null ? '' : deliveriesTable(deliveries)}
${table<Streams['stages'][number]>(
  'Streams by stage',
  [{ head: 'Stage', cell: ({ name, trial }) => (trial > 1 ? `${name} (trial ${trial})` : name) }, ...columns],
  stages,
)}
${table<Streams['profiles'][number]>(
  'Streams by profile, measured stages',
  [{ head: 'Profile', cell: ({ name }) => name }, ...columns],
  profiles,
)}
</div>`;
}

function clockText(clockErrorMs: number): string {
  return clockErrorMs === 0
    ? ''
    : `The clocks of publishers and subscribers may be ${ms(clockErrorMs)} apart; ` +
        'values below ten times that are left out.';
}

function deliveriesTable(deliveries: Deliveries): Markup {
  return table<Deliveries>(
    'Deliveries, whole run',
    [
      { head: 'Published', cell: ({ published }) => count(published) },
      { head: 'Not confirmed', cell: ({ unconfirmed }) => count(unconfirmed) },
      { head: 'Publishers', cell: ({ publishers }) => count(publishers) },
      { head: 'Subscriptions', cell: ({ subscriptions }) => count(subscriptions) },
      { head: 'Before subscribing', cell: ({ before }) => count(before) },
      { head: 'Expected', cell: ({ expected }) => count(expected) },
      { head: 'Delivered', cell: ({ delivered }) => count(delivered) },
      { head: 'Lost', cell: ({ lost }) => (lost > 0 ? html`<span class="bad">${count(lost)}</span>` : count(lost)) },
    ],
    [deliveries],
  );
}

const columns: readonly Column<StreamSums>[] = [
  { head: 'Opened', cell: ({ opened }) => count(opened) },
  { head: 'Resumed', cell: ({ resumed }) => count(resumed) },
  { head: 'Ended', cell: ({ ended }) => count(ended) },
  { head: 'Broken', cell: ({ lost }) => count(lost) },
  { head: 'Updates', cell: ({ updates }) => count(updates) },
  { head: 'Delivered', cell: ({ delivered }) => count(delivered) },
  { head: 'Repeated', cell: ({ duplicated }) => count(duplicated) },
  { head: 'Out of order', cell: ({ outOfOrder }) => count(outOfOrder) },
  {
    head: 'Calls resumed',
    cell: ({ callsBroken, callsResumed }) =>
      callsBroken === 0 ? '–' : html`${count(callsResumed)} of ${count(callsBroken)}`,
    text: true,
  },
  { head: 'Delivery p50', cell: ({ deliveryMs }) => ms(deliveryMs.p50) },
  { head: 'p95', cell: ({ deliveryMs }) => ms(deliveryMs.p95) },
  { head: 'p99', cell: ({ deliveryMs }) => ms(deliveryMs.p99) },
  { head: 'Max', cell: ({ deliveryMs }) => ms(deliveryMs.max) },
  {
    head: 'Caught up',
    cell: ({ catchUpMs, returned }) =>
      returned === 0 ? '–' : html`${count(catchUpMs.count)} of ${count(returned)}, at most ${ms(catchUpMs.max)}`,
    text: true,
  },
];

function markdownRows({ summary, deliveries }: Streams): readonly (readonly [string, string])[] {
  const { opened, resumed, lost, callsBroken, callsResumed, returned, deliveryMs, catchUpMs } = summary;
  const rows: [string, string][] = [
    ['Opened', `${significant(opened)}, ${significant(resumed)} resumed, ${significant(lost)} broken`],
  ];
  if (callsBroken > 0)
    rows.push([
      'Calls whose stream broke off',
      `${significant(callsBroken)}, ${significant(callsResumed)} answered on a resumed stream`,
    ]);
  rows.push(['Delivery from due time', markdown.percentiles(deliveryMs)]);
  if (returned > 0)
    rows.push([
      'Caught up',
      `${significant(catchUpMs.count)} of ${significant(returned)}: ${markdown.percentiles(catchUpMs)}`,
    ]);
  if (deliveries === null) return rows;
  const { published, publishers, unconfirmed, delivered, expected } = deliveries;
  return [
    ...rows,
    [
      'Published, whole run',
      `${significant(published)} by ${significant(publishers)}, ${significant(unconfirmed)} not confirmed`,
    ],
    [
      'Delivered, whole run',
      `${significant(delivered)} of ${significant(expected)} expected, ${significant(deliveries.lost)} lost`,
    ],
  ];
}
