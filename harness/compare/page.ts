/** `comparison.html`: one file, no script, nothing fetched. */
import { formatAs, formatMs, significant } from '../analysis/format.js';
import { decodeCounts, toHistogram } from '../analysis/merge/hdr-counts.js';
import { head } from '../report/html/head.js';
import { html, type Markup } from '../report/html/markup.js';
import { table } from '../report/html/table.js';
import type { TimeContext } from '../report/svg/frame.js';
import { lineChart } from '../report/svg/line-chart.js';
import { type Curve, spectrumChart } from '../report/svg/spectrum.js';
import type { ComparedSide, ComparisonDocument, RuleRow } from './document.js';
import { shiftPlot } from './shift-plot.js';
import { changeText, designText, meaning, metricOf, remarks, valueText } from './words.js';

const tones = { regressed: 'failed', improved: 'passed', equivalent: 'passed', inconclusive: 'invalid' } as const;
const classes = { regressed: 'bad', improved: 'good', equivalent: 'good', inconclusive: 'quiet' } as const;

export function renderComparison(document: ComparisonDocument): string {
  const { scenario, answer, base, comparisons, forced } = document;
  return html`${head(`${scenario}: ${answer}`)}
<body>
<a class="skip" href="#verdict">Skip to the answer</a>
<header>
<h1>${scenario}</h1>
<p class="meta"><span>Comparison</span><span>${document.createdAt.slice(0, 19).replace('T', ' ')} UTC</span>
<span>base: ${base.name} (${base.runs.length} runs)</span></p>
</header>
<main>
${forcedNotes(forced)}
<section class="verdict ${tones[answer]}" id="verdict" aria-label="Answer">
<h2>${answer}</h2>
<p class="means">${meaning(answer)}</p>
${document.defaultRules ? html`<p class="means">No rules were given: these are the defaults.</p>` : ''}
</section>
${comparisons.map((one, at) => compared(document, one, comparisons.length > 1 ? `-${at + 1}` : ''))}
</main>
<footer>Rendered by swarmbench ${document.version} from comparison.json, which holds every number shown.
Command: ${document.command}</footer>
</body>
</html>
`.text;
}

function compared({ base }: ComparisonDocument, one: ComparedSide, suffix: string): Markup {
  const { changed, rules, exploration, subjects } = one;
  const found = exploration.filter((each) => each.found).length;
  return html`
<h2 id="rules${suffix}">${base.name} against ${changed.name}: ${one.answer}</h2>
<p>${designText(one)}.</p>
${subjects.length === 0 ? '' : html`<ul>${subjects.map((line) => html`<li>${line}</li>`)}</ul>`}
${table<RuleRow>(
  'Rules',
  [
    { head: 'Rule', cell: ({ rule }) => html`<code>${rule}</code>` },
    { head: base.name, cell: ({ metric, change }) => (change === null ? '–' : valueText(metric, change.base)) },
    { head: changed.name, cell: ({ metric, change }) => (change === null ? '–' : valueText(metric, change.changed)) },
    { head: 'Change, 95 %', cell: ({ change }) => (change === null ? '–' : changeText(change)) },
    { head: 'Answer', cell: ({ answer }) => html`<span class="${classes[answer]} mark-cell">${answer}</span>` },
    { head: 'Remarks', cell: (row) => remarks(row).join(' · '), text: true },
  ],
  rules,
)}
<h2 id="shape${suffix}">Shape</h2>
${shiftPlot(`shift${suffix}`, one.shift, base.name, changed.name)}
${spectra(one, base.name, suffix)}
<h2 id="time${suffix}">Over time</h2>
${timelines(one, base.name, suffix)}
<h2 id="exploration${suffix}">Exploration</h2>
<p>Decides nothing. ${found} of ${exploration.length} figures stand out; of those, about one in twenty may be chance
(Benjamini and Hochberg). Tails with fewer than 100 operations beyond them are left out.</p>
${table(
  'Other figures',
  [
    { head: 'Figure', cell: ({ metric }) => html`<code>${metric}</code>` },
    { head: base.name, cell: ({ metric, change }) => valueText(metricOf(metric), change.base) },
    { head: changed.name, cell: ({ metric, change }) => valueText(metricOf(metric), change.changed) },
    { head: 'Change, 95 %', cell: ({ change }) => changeText(change) },
    { head: 'By chance', cell: ({ change }) => (change.p < 0.001 ? '< 0.1 %' : formatAs('ratio', change.p)) },
    { head: 'Stands out', cell: (each) => (each.found ? html`<strong>yes</strong>` : 'no') },
  ],
  exploration.slice(0, mostRows),
)}
${omittedNote(exploration.length - mostRows)}
<h2 id="runs${suffix}">Runs</h2>
${table(
  'Runs of both sides',
  [
    { head: 'Run', cell: ({ id }: Row) => id },
    { head: 'Side', cell: ({ of }) => of, text: true },
    { head: 'Started', cell: ({ startedAt }) => startedAt?.slice(0, 19).replace('T', ' ') ?? '–' },
    { head: 'Verdict', cell: ({ verdict }) => verdict },
  ],
  [
    ...base.runs.map((run) => ({ ...run, of: base.name })),
    ...changed.runs.map((run) => ({ ...run, of: changed.name })),
  ],
)}`;
}

const mostRows = 50;

type Row = ComparisonDocument['base']['runs'][number] & { readonly of: string };

function spectra({ histograms, changed }: ComparedSide, baseName: string, suffix: string): Markup {
  const curves = [
    [histograms.base, baseName, 's-plain dashed'],
    [histograms.changed, changed.name, 's-main'],
  ].flatMap(([encoded, name = '', style = '']): Curve[] =>
    encoded === undefined ? [] : [{ name, style, histogram: toHistogram(decodeCounts(encoded)) }],
  );
  if (curves.length === 0) return html`<p class="empty">No operation succeeded on either side.</p>`;
  return spectrumChart({
    id: `spectrum${suffix}`,
    title: 'Percentile spectra',
    caption: 'Latency from due time, all runs of a side merged.',
    curves,
  });
}

function timelines({ timeline, changed }: ComparedSide, baseName: string, suffix: string): Markup {
  const time: TimeContext = { endSeconds: Math.max(1, timeline.length), bands: [], marks: [], shades: [] };
  const chart = (
    id: string,
    title: string,
    format: (value: number) => string,
    base: (moment: ComparedSide['timeline'][number]) => number | null,
    after: (moment: ComparedSide['timeline'][number]) => number | null,
  ): Markup =>
    lineChart({
      id: `${id}${suffix}`,
      title,
      time,
      format,
      perSecond: true,
      caption: 'Of several runs, the median of each second.',
      series: [
        {
          name: baseName,
          style: 's-plain dashed',
          points: timeline.map((moment) => ({ x: moment.t, y: base(moment) })),
        },
        { name: changed.name, style: 's-main', points: timeline.map((moment) => ({ x: moment.t, y: after(moment) })) },
      ],
    });
  return html`${chart(
    'p95',
    'Latency p95',
    formatMs,
    ({ baseP95Ms }) => baseP95Ms,
    ({ changedP95Ms }) => changedP95Ms,
  )}
${chart(
  'throughput',
  'Succeeded a second',
  (value) => `${significant(value)}/s`,
  ({ basePerSecond }) => basePerSecond,
  ({ changedPerSecond }) => changedPerSecond,
)}`;
}

function forcedNotes(forced: readonly string[]): Markup | string {
  if (forced.length === 0) return '';
  return html`<ul class="notes">${forced.map((line) => html`<li>Compared all the same: ${line}</li>`)}</ul>`;
}

function omittedNote(rows: number): Markup | string {
  return rows > 0 ? html`<p class="note">The other ${rows} are in comparison.json.</p>` : '';
}
