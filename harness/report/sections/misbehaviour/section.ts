import { significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { count, duration, ms, plain, rate, share } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { exchangeText } from '../shared/exchange.js';
import {
  buildMisbehaviour,
  type Misbehaviour,
  type MisbehaviourData,
  type Neighbours,
  type Reaction,
  schema,
} from './build.js';
import { buildNeighbours } from './neighbours.js';

type Row = Pick<Misbehaviour, 'profile' | 'kind' | 'done'> & Reaction;

export const misbehaviour = {
  id: 'misbehaviour',
  title: 'Misbehaviour',
  needsLoad: true,
  schema,
  build: (input) => ({ neighbours: buildNeighbours(input), misbehaviour: buildMisbehaviour(input) }),
  when: ({ misbehaviour: all }) => all.length > 0,
  html: page,
  markdown: ({ misbehaviour: all, neighbours }) =>
    [misbehaviourMarkdown(all), neighboursMarkdown(neighbours)].filter((part) => part !== '').join('\n\n'),
} satisfies ReportSection<typeof schema>;

function page({ misbehaviour: all, neighbours }: MisbehaviourData): Markup {
  const rows = all.flatMap(({ reactions, ...rest }) => reactions.map((reaction): Row => ({ ...rest, ...reaction })));
  return html`<p class="note">Clients did this on purpose, in all stages.
None of it counts as an error of the target.</p>
${table<Row>(
  'Misbehaviour and the reactions of the server',
  [
    { head: 'Kind', cell: ({ kind }) => html`<code>${kind}</code>` },
    { head: 'Profile', cell: ({ profile }) => profile, text: true },
    { head: 'Done', cell: ({ done }) => count(done) },
    { head: 'Reaction', cell: ({ reaction }) => html`<code>${reaction}</code>`, text: true },
    { head: 'Times', cell: ({ count: times }) => count(times) },
    { head: 'Judgement', cell: ({ judgement }) => judgementText[judgement], text: true },
    { head: 'Meaning', cell: ({ meaning }) => meaning, text: true },
  ],
  rows,
)}
${neighbours.length === 0 ? '' : neighboursTable(neighbours)}
${rows.map(sampleText)}`;
}

const judgementText: Readonly<Record<Reaction['judgement'], Markup | string>> = {
  right: 'right',
  wrong: html`<span class="bad">worth a look</span>`,
  neutral: '',
};

function neighboursTable(all: readonly Neighbours[]): Markup {
  return table<Neighbours>(
    'Well-behaved profiles: alone → beside misbehaving ones',
    [
      { head: 'Profile', cell: ({ profile }) => profile },
      { head: 'Beside', cell: ({ neighbours }) => neighbours.join(', '), text: true },
      { head: 'Throughput', cell: sides(({ throughputPerSecond }) => rate(throughputPerSecond)) },
      { head: 'Errors', cell: sides(({ errorRate }) => share(errorRate)) },
      { head: 'p50', cell: sides(({ latencyMs }) => ms(latencyMs.p50)) },
      { head: 'Ratio', cell: ({ ratio }) => times(ratio.p50) },
      { head: 'p95', cell: sides(({ latencyMs }) => ms(latencyMs.p95)) },
      { head: 'Ratio', cell: ({ ratio }) => times(ratio.p95) },
      { head: 'p99', cell: sides(({ latencyMs }) => ms(latencyMs.p99)) },
      { head: 'Ratio', cell: ({ ratio }) => times(ratio.p99) },
    ],
    all,
  );
}

function sides(of: (side: Neighbours['alone']) => string) {
  return ({ alone, beside }: Neighbours): string => `${of(alone)} → ${of(beside)}`;
}

function times(ratio: number | null): string {
  return ratio === null ? '–' : `× ${plain(ratio)}`;
}

function sampleText({ kind, reaction, sample }: Row): Markup | string {
  return sample === null || sample.request === undefined
    ? ''
    : html`
<details><summary>First <code>${kind}</code> with <code>${reaction}</code></summary>
<p class="note">At ${duration(sample.atSeconds)}, operation ${sample.operation}. ${sample.detail}</p>
${exchangeText(sample)}</details>`;
}

function misbehaviourMarkdown(all: readonly Misbehaviour[]): string {
  return all.length === 0
    ? ''
    : markdown.table(
        ['Misbehaviour', 'Profile', 'Done', 'Reactions of the server'],
        all.map(({ kind, profile, done, reactions }) => [
          markdown.text(kind),
          markdown.text(profile),
          significant(done),
          reactions.map(reactionMarkdown).join(', '),
        ]),
      );
}

function reactionMarkdown({ reaction, count: seen, judgement }: Reaction): string {
  return `${judgement === 'wrong' ? '⚠️ ' : ''}${significant(seen)} × ${markdown.text(reaction)}`;
}

function neighboursMarkdown(all: readonly Neighbours[]): string {
  return all.length === 0
    ? ''
    : markdown.table(
        [
          'Well-behaved profile',
          'Beside',
          'p95 alone',
          'p95 beside',
          'p99 alone',
          'p99 beside',
          'Errors alone',
          'Errors beside',
        ],
        all.map(({ profile, neighbours, alone, beside }) => [
          markdown.text(profile),
          markdown.text(neighbours.join(', ')),
          ms(alone.latencyMs.p95),
          ms(beside.latencyMs.p95),
          ms(alone.latencyMs.p99),
          ms(beside.latencyMs.p99),
          share(alone.errorRate),
          share(beside.errorRate),
        ]),
      );
}
