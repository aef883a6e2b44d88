import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { count, ms } from '../../values.js';

type Streams = NonNullable<Report['streams']>['summary'];

const columns: readonly Column<Streams>[] = [
  { head: 'Opened', cell: ({ opened }) => count(opened) },
  { head: 'Resumed', cell: ({ resumed }) => count(resumed) },
  { head: 'Ended', cell: ({ ended }) => count(ended) },
  { head: 'Broken', cell: ({ lost }) => count(lost) },
  { head: 'Updates', cell: ({ updates }) => count(updates) },
  { head: 'Delivered', cell: ({ delivered }) => count(delivered) },
  { head: 'Again', cell: ({ duplicated }) => count(duplicated) },
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

/** Nothing, where the run had no streams. */
export function streamsSection({ streams }: Report): Markup {
  return streams === undefined
    ? html``
    : html`
<h2 id="streams">Streams</h2>
<p>Delivery: from when a publication was due to when a subscriber read of it.${streams.summary.clockErrorMs > 0 ? html` The clocks of publishers and subscribers may be ${ms(streams.summary.clockErrorMs)} apart; values under ten times that are left out.` : html``}</p>
<div class="stack">
${
  streams.deliveries === null
    ? html``
    : table<NonNullable<NonNullable<Report['streams']>['deliveries']>>(
        'Deliveries, whole run',
        [
          { head: 'Published', cell: ({ published }) => count(published) },
          { head: 'Not confirmed', cell: ({ unconfirmed }) => count(unconfirmed) },
          { head: 'Publishers', cell: ({ publishers }) => count(publishers) },
          { head: 'Subscriptions heard of', cell: ({ subscriptions }) => count(subscriptions) },
          { head: 'Before subscribing', cell: ({ before }) => count(before) },
          { head: 'Expected', cell: ({ expected }) => count(expected) },
          { head: 'Delivered', cell: ({ delivered }) => count(delivered) },
          {
            head: 'Lost',
            cell: ({ lost }) => (lost > 0 ? html`<span class="bad">${count(lost)}</span>` : count(lost)),
          },
        ],
        [streams.deliveries],
      )
}
${table<NonNullable<Report['streams']>['stages'][number]>('Streams by stage', [{ head: 'Stage', cell: ({ name, trial }) => (trial > 1 ? `${name} (trial ${trial})` : name) }, ...columns], streams.stages)}
${table<NonNullable<Report['streams']>['profiles'][number]>('Streams by profile, measured stages', [{ head: 'Profile', cell: ({ name }) => name }, ...columns], streams.profiles)}
</div>`;
}
