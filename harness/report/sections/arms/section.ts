import { formatMetric } from '../../../analysis/format.js';
import { decodeCounts, toHistogram } from '../../../analysis/merge/hdr-counts.js';
import { html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import { type Curve, spectrumChart } from '../../svg/spectrum.js';
import * as markdown from '../../text/markdown-table.js';
import { count, ms, rate, share } from '../../values.js';
import type { ReportSection } from '../report-section.js';
import { buildArms } from './build.js';
import { type ArmsData, armsSchema, type OverheadRow } from './schema.js';
import { addedText, areFew, blocksText, COVERAGE, chanceText, overheadOf, shareText } from './words.js';

const schema = {
  /** What was compared within the run, with what each arm adds to the first. Absent without arms. */
  arms: armsSchema.optional(),
};

const classes = { regressed: 'bad', improved: 'good', equivalent: 'good', inconclusive: 'quiet' } as const;

export const arms = {
  id: 'arms',
  title: 'Arms',
  needsLoad: true,
  schema,
  build: (input) => {
    const built = buildArms(input);
    return built === undefined ? {} : { arms: built };
  },
  when: ({ arms: data }) => data !== undefined,
  html: ({ arms: data }) => (data === undefined ? html`` : page(data)),
  markdown: ({ arms: data }) => (data === undefined ? '' : markdownOf(data)),
} satisfies ReportSection<typeof schema>;

function page(data: ArmsData): Markup {
  return html`<p>What each arm adds, ${blocksText(data)}. ${COVERAGE}</p>
${table<OverheadRow>(
  `Overhead over ${data.base}`,
  [
    { head: 'Arm', cell: ({ arm }) => arm },
    { head: 'Time', cell: overheadOf, text: true },
    { head: data.base, cell: ({ baseMs }) => ms(baseMs) },
    { head: 'This arm', cell: ({ armMs }) => ms(armMs) },
    { head: 'Added, 95 %', cell: addedText },
    { head: 'Share, 95 %', cell: shareText },
    { head: 'By chance', cell: chanceText },
    {
      head: 'Remarks',
      cell: (row) => (areFew(row) ? `only ${row.beyond} operations beyond it` : ''),
      text: true,
    },
  ],
  data.overheads,
)}
${table<ArmsData['rules'][number]>(
  data.defaultRules ? 'Rules (the defaults: they decide nothing)' : 'Rules',
  [
    { head: 'Arm', cell: ({ arm }) => arm },
    { head: 'Rule', cell: ({ rule }) => html`<code>${rule}</code>` },
    { head: data.base, cell: ({ metric, base }) => (base === null ? '–' : formatMetric({ metric }, base)) },
    { head: 'This arm', cell: ({ metric, changed }) => (changed === null ? '–' : formatMetric({ metric }, changed)) },
    { head: 'Answer', cell: ({ answer }) => html`<span class="${classes[answer]} mark-cell">${answer}</span>` },
    { head: 'Remarks', cell: ({ remarks }) => remarks.join(' · '), text: true },
  ],
  data.rules,
)}
${table<ArmsData['arms'][number]>(
  'The arms themselves',
  [
    { head: 'Arm', cell: ({ name }) => name },
    { head: 'Target', cell: ({ target }) => target, text: true },
    { head: 'Transport', cell: ({ transports }) => transports.join(', ') },
    { head: 'Era', cell: ({ era }) => era ?? '–' },
    { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
    { head: 'Errors', cell: ({ errorRate }) => share(errorRate) },
    { head: 'Throughput', cell: ({ throughputPerSecond }) => rate(throughputPerSecond) },
    { head: 'p50', cell: ({ latencyMs }) => ms(latencyMs.p50) },
    { head: 'p95', cell: ({ latencyMs }) => ms(latencyMs.p95) },
    { head: 'p99', cell: ({ latencyMs }) => ms(latencyMs.p99) },
    { head: 'Connect p50', cell: ({ connectMs }) => ms(connectMs.p50) },
  ],
  data.arms,
)}
${spectrum(data)}`;
}

const styles = ['s-plain dashed', 's-main', 's-p99', 's-accent', 's-p50', 's-p95 dashed', 's-bad', 's-accent dashed'];

function spectrum({ arms: all }: ArmsData): Markup | string {
  const curves = all.flatMap(({ name, histogram }, at): Curve[] =>
    histogram === undefined
      ? []
      : [{ name, style: styles[at] ?? 's-main', histogram: toHistogram(decodeCounts(histogram)) }],
  );
  if (curves.length === 0) return '';
  return spectrumChart({
    id: 'arms-spectrum',
    title: 'Percentile spectrum of each arm',
    caption: 'Latency from due time. A constant delay lifts the whole curve; a slower tail lifts its end.',
    curves,
  });
}

function markdownOf(data: ArmsData): string {
  const { text } = markdown;
  return [
    `What each arm adds, ${text(blocksText(data))}. ${COVERAGE}`,
    markdown.table(
      ['Arm', 'Time', text(data.base), 'This arm', 'Added (95 %)', 'Share (95 %)', 'By chance'],
      data.overheads.map((row) => [
        text(row.arm),
        text(`${overheadOf(row)}${areFew(row) ? ` (only ${row.beyond} operations beyond it)` : ''}`),
        ms(row.baseMs),
        ms(row.armMs),
        addedText(row),
        shareText(row),
        chanceText(row),
      ]),
    ),
    markdown.table(
      ['Arm', data.defaultRules ? 'Rule (a default: decides nothing)' : 'Rule', 'Answer', 'Remarks'],
      data.rules.map(({ arm, rule, answer, remarks }) => [
        text(arm),
        text(rule),
        answer,
        text(remarks.join('; '), 600),
      ]),
    ),
  ].join('\n\n');
}
