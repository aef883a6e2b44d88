import { z } from 'zod';
import { isByUs, isMisbehaviourKey } from '../../../../client-sim/protocol/misbehaviour-key.js';
import type { ErrorSample } from '../../../../client-sim/protocol/telemetry.js';
import { allStages } from '../../../analysis/facts/stages.js';
import { significant } from '../../../analysis/format.js';
import type { Totals } from '../../../analysis/merge/series-store.js';
import { byName } from '../../../analysis/order.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { clip } from '../../tidy.js';
import { count, duration } from '../../values.js';
import type { StagesData } from '../breakdown/schema.js';
import type { TimelineData } from '../load/timeline.js';
import type { BuildInput, ReportSection, SectionData } from '../report-section.js';
import { exchangeFields, exchangeOf, exchangeText } from '../shared/exchange.js';
import * as fields from '../shared/fields.js';
import { errorsChart } from './errors-chart.js';

const sampleSchema = z.strictObject({ atSeconds: z.number(), profile: z.string(), ...exchangeFields });
type Sample = z.infer<typeof sampleSchema>;

const schema = {
  errors: z.array(
    z.strictObject({
      category: z.string(),
      /** In measured stages. */
      count: fields.count,
      /** In all others. */
      unmeasured: fields.count,
      /** The first one. */
      sample: sampleSchema.nullable(),
      /** The first of each other message, at most nine; messages that differ only in numbers and ids are the same. */
      moreSamples: z.array(sampleSchema).optional(),
    }),
  ),
};
type Failure = SectionData<typeof schema>['errors'][number];

const mostInMarkdown = 10;
/** Of the most frequent categories, more than one sample is kept, and so much of their requests and responses. */
const categoriesWithMore = 20;
const mostOfMore = 1024;

export const errors = {
  id: 'errors',
  title: 'Errors',
  needsLoad: true,
  schema,
  build: (input) => ({ errors: build(input) }),
  html: ({ errors: all, timeline, stages }, time) => html`
${errorsChart(timeline, time)}
${all.length === 0 ? '' : categories(all)}
${failedOpenings(stages)}`,
  markdown: ({ errors: all }) =>
    all.length === 0
      ? ''
      : markdown.table(
          ['Error', 'Measured stages', 'Other stages', 'First seen'],
          all
            .slice(0, mostInMarkdown)
            .map(({ category, count: inside, unmeasured, sample }) => [
              markdown.text(category),
              significant(inside),
              significant(unmeasured),
              sample === null ? '' : markdown.text(sample.detail, 200),
            ]),
        ),
} satisfies ReportSection<typeof schema, TimelineData & StagesData>;

function build({ plan, aggregate, measured }: BuildInput): Failure[] {
  const inside = aggregate.select({ stages: measured });
  const outside = aggregate.select({ stages: allStages(plan).filter((index) => !measured.includes(index)) });
  const samples = aggregate.samples();
  const lost = inside.counts.lost + outside.counts.lost > 0 ? ['lost'] : [];
  const categories = new Set([...inside.errors.keys(), ...outside.errors.keys(), ...samples.keys(), ...lost]);
  return [...categories]
    .filter((category) => !isByUs(category) && !isMisbehaviourKey(category))
    .map((category) => ({
      category,
      count: timesOf(inside, category),
      unmeasured: timesOf(outside, category),
    }))
    .sort((a, b) => b.count - a.count || b.unmeasured - a.unmeasured || byName(a.category, b.category))
    .map((failure, at) => {
      const [first, ...others] = samples.get(failure.category) ?? [];
      const more = at < categoriesWithMore ? others.map((sample) => shortened(sampleOf(sample))) : [];
      return {
        ...failure,
        sample: first === undefined ? null : sampleOf(first),
        ...(more.length === 0 ? {} : { moreSamples: more }),
      };
    });
}

function sampleOf(sample: ErrorSample): Sample {
  return { atSeconds: sample.atMs / 1000, profile: sample.profile, ...exchangeOf(sample) };
}

function shortened({ request, response, ...sample }: Sample): Sample {
  return {
    ...sample,
    ...(request === undefined ? {} : { request: clip(request, mostOfMore) }),
    ...(response === undefined ? {} : { response: clip(response, mostOfMore) }),
  };
}

function timesOf({ counts, errors: byCategory }: Totals, category: string): number {
  return category === 'lost' ? counts.lost : (byCategory.get(category) ?? 0);
}

function categories(all: readonly Failure[]): Markup {
  return html`${table<Failure>(
    'By category',
    [
      { head: 'Category', cell: ({ category }) => html`<code>${category}</code>` },
      { head: 'Meaning', cell: ({ category }) => meaningOf(category), text: true },
      { head: 'Measured stages', cell: ({ count: inside }) => count(inside) },
      { head: 'Other stages', cell: ({ unmeasured }) => count(unmeasured) },
    ],
    all,
    'errors.csv',
  )}
${all.slice(0, mostWithSample).map(samplesText)}`;
}

const mostWithSample = 50;

function samplesText({ category, sample, moreSamples = [] }: Failure): readonly Markup[] {
  if (sample === null) return [];
  return [sampleText('First', category, sample), ...moreSamples.map((more) => sampleText('Also', category, more))];
}

function sampleText(which: string, category: string, sample: Sample): Markup {
  return html`
<details><summary>${which} <code>${category}</code>: ${clip(sample.detail, 160)}</summary>
<p class="note">At ${duration(sample.atSeconds)}, profile ${sample.profile}, operation ${sample.operation}.
${sample.detail}</p>
${exchangeText(sample)}</details>`;
}

/** Handshakes are not operations, so their failures are not among the errors above. */
function failedOpenings(stages: StagesData['stages']): Markup | string {
  const totals = new Map<string, number>();
  for (const { sessions } of stages)
    for (const [category, times] of Object.entries(sessions.failures))
      totals.set(category, (totals.get(category) ?? 0) + times);
  return totals.size === 0
    ? ''
    : table<readonly [string, number]>(
        'Sessions that could not be opened, all stages',
        [
          { head: 'Category', cell: ([category]) => html`<code>${category}</code>` },
          { head: 'Meaning', cell: ([category]) => meaningOf(category), text: true },
          { head: 'Times', cell: ([, times]) => count(times) },
        ],
        [...totals].sort(([, a], [, b]) => b - a),
      );
}

/** For a reader who does not know the manual. */
function meaningOf(category: string): string {
  const known = meanings[category];
  if (known !== undefined) return known;
  if (category.startsWith('http_')) return `HTTP status ${category.slice(5)}`;
  return category.startsWith('rpc_') ? `JSON-RPC error ${category.slice(4)}` : '';
}

const meanings: Readonly<Record<string, string>> = {
  connect: 'no connection in time',
  timeout: 'no answer within the timeout of the profile',
  session_lost: 'the server no longer knew the session',
  tool_error: 'the tool reported an error (isError)',
  expectation: 'a correct answer without what the scenario expects',
  protocol_violation: 'an answer that is not valid MCP, or does not belong to our request',
  stream_lost: 'the connection ended in the middle of an answer',
  idle_closed: 'the server closed a connection that had been idle, just as a request was sent on it',
  crossed: 'the answer to another request: the server or a gateway mixes up its clients',
  answer_limit: 'an answer longer than `limits.answer`, which is a limit of swarmbench',
  aborted_by_us: 'cut off by swarmbench when the run was stopped',
  exhausted_by_us: 'this machine had no local port, file or process left for a connection',
  lost: 'no answer before the drain ended',
};
