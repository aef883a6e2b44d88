import { z } from 'zod';
import { type StreamCounts, streamCounts } from '../../../../client-sim/protocol/streams.js';
import { allStages } from '../../../analysis/facts/stages.js';
import { significant } from '../../../analysis/format.js';
import { isCertain } from '../../../analysis/judge/measure.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { type LatencySummary, summarise } from '../../../analysis/statistics/latency-summary.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, ms } from '../../values.js';
import type { BuildInput, ReportSection } from '../report-section.js';
import { latencyBlock, count as wholeCount } from '../shared/fields.js';

const sums = z.strictObject({
  ...streamCounts.shape,
  /**
   * From when a publication was due to when a subscriber read it. Null also where the clocks were too far apart for
   * that value.
   */
  deliveryMs: latencyBlock,
  /** From a consumer's return until it had received all it had missed. */
  catchUpMs: latencyBlock,
  /** How far apart the clocks of publishers and subscribers may have been; 0: one clock. */
  clockErrorMs: z.number(),
});

export const streamsSchema = z.strictObject({
  /** Measured stages. */
  summary: sums,
  stages: z.array(z.strictObject({ name: z.string(), trial: wholeCount, measured: z.boolean(), ...sums.shape })),
  profiles: z.array(z.strictObject({ name: z.string(), ...sums.shape })),
  /** The whole run, unmeasured stages included: what is published in one stage may be delivered in another. */
  deliveries: z
    .strictObject({
      publishers: wholeCount,
      published: wholeCount,
      unconfirmed: wholeCount,
      subscriptions: wholeCount,
      before: wholeCount,
      expected: wholeCount,
      delivered: wholeCount,
      lost: wholeCount,
    })
    .nullable(),
});
type Streams = z.infer<typeof streamsSchema>;
type StreamSums = Streams['summary'];
type Deliveries = NonNullable<Streams['deliveries']>;

const schema = {
  /** Only of runs with streams or publications. */
  streams: streamsSchema.optional(),
};

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

/** @returns undefined when the run had no streams and published nothing */
function buildStreams({ plan, aggregate, measured }: BuildInput): Streams | undefined {
  const all = sumsOf(aggregate.select({ stages: allStages(plan) }));
  const deliveries = aggregate.deliveries();
  if (deliveries === undefined && plan.profiles.every(({ stream }) => stream === undefined) && isEmpty(all))
    return undefined;
  return {
    summary: sumsOf(aggregate.select({ stages: measured })),
    stages: plan.stages.map(({ index, name, trial, measured: counted }) => ({
      name,
      trial,
      measured: counted,
      ...sumsOf(aggregate.select({ stages: [index] })),
    })),
    profiles: plan.profiles
      .map(({ name, stream, operations }) => ({
        listens: stream !== undefined || operations.some(({ stamped }) => stamped === true),
        row: { name, ...sumsOf(aggregate.select({ stages: measured, profile: name })) },
      }))
      .filter(({ listens, row }) => listens || row.callsBroken > 0)
      .map(({ row }) => row),
    deliveries: deliveries === undefined ? null : { ...deliveries },
  };
}

function sumsOf({ streams: counts, delivery, catchUp, clockErrorMs }: Totals): StreamSums {
  return {
    ...counts,
    deliveryMs: dropUncertain(summarise(delivery), clockErrorMs),
    catchUpMs: summarise(catchUp),
    clockErrorMs,
  };
}

/** Leaves out every value that is too small for the error of the clocks. */
function dropUncertain(summary: LatencySummary, clockErrorMs: number): LatencySummary {
  const keep = (ms: number | null): number | null => (ms !== null && isCertain(ms, clockErrorMs) ? ms : null);
  const { count: samples, min, mean, p50, p90, p95, p99, p999, max } = summary;
  return {
    count: samples,
    min: keep(min),
    mean: keep(mean),
    p50: keep(p50),
    p90: keep(p90),
    p95: keep(p95),
    p99: keep(p99),
    p999: keep(p999),
    max: keep(max),
  };
}

/** Cancelled calls and requests of a server come without streams too. */
function isEmpty(sums: StreamSums): boolean {
  return counted.every((key) => sums[key] === 0);
}

const counted = Object.keys(streamCounts.shape).filter(
  (key): key is keyof StreamCounts => key !== 'cancelled' && key !== 'serverRequests',
);
