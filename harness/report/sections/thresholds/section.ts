import { z } from 'zod';
import { formatAs, significant, unitOf } from '../../../analysis/format.js';
import { judgeThresholds } from '../../../analysis/judge/thresholds.js';
import { type Fragment, html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { beside, count } from '../../values.js';
import type { ReportSection, SectionData, SectionReport } from '../report-section.js';
import * as fields from '../shared/fields.js';

const schema = {
  thresholds: z.array(
    z.strictObject({
      check: z.string(),
      metric: z.string(),
      unit: z.enum(['ms', 'ratio', 'perSecond', 'count', 'cores', 'bytes']),
      comparison: z.enum(['<', '<=', '>', '>=', '==', '!=']),
      wanted: z.number(),
      actual: fields.maybe,
      /** Of a latency: without what the generator itself added. Absent: not known. */
      floor: z.number().optional(),
      /** It is broken as measured, but not without what the generator added: the run is invalid. */
      undecided: z.boolean().optional(),
      passed: z.boolean(),
      samples: fields.count,
      /** Why there is no actual value. */
      why: z.string().optional(),
    }),
  ),
};
export type ThresholdsData = SectionData<typeof schema>;
type Threshold = ThresholdsData['thresholds'][number];

export const thresholds = {
  id: 'thresholds',
  title: 'Thresholds',
  schema,
  build: ({ plan, aggregate }) => ({
    thresholds: judgeThresholds(plan, aggregate).map(({ threshold: { check }, measurement, passed, undecided }) => ({
      check: check.text,
      metric: check.metric,
      unit: unitOf(check.metric),
      comparison: check.comparison,
      wanted: check.value,
      actual: measurement.kind === 'value' ? measurement.value : null,
      ...(measurement.kind === 'value' && measurement.floor !== undefined ? { floor: measurement.floor } : {}),
      ...(undecided ? { undecided } : {}),
      passed,
      samples: measurement.kind === 'value' ? measurement.samples : 0,
      ...(measurement.kind === 'no-data' ? { why: measurement.why } : {}),
    })),
  }),
  html: page,
  markdown: ({ thresholds: all }) =>
    all.length === 0
      ? ''
      : markdown.table(
          ['', 'Threshold', 'Actual', 'Samples'],
          all.map(({ check, actual, unit, passed, samples, why, floor, undecided }) => [
            mark(passed, undecided),
            markdown.text(check),
            actual === null
              ? `no data: ${markdown.text(why ?? '')}`
              : `${formatAs(unit, actual)}${beside(actual, floor)}`,
            significant(samples),
          ]),
        ),
} satisfies ReportSection<typeof schema>;

function page({ thresholds: all, verdict }: SectionReport<typeof schema>): Markup {
  if (all.length === 0)
    return html`<p class="empty">This scenario has no thresholds, so the verdict is about the measurement alone.</p>`;
  const untrusted = verdict.kind === 'invalid' || verdict.kind === 'incomplete';
  return html`
${untrusted ? html`<p class="note">The run is ${verdict.kind}, so these results prove little.</p>` : ''}
${table<Threshold>(
  'Over the measured stages',
  [
    { head: 'Threshold', cell: ({ check }) => html`<code>${check}</code>` },
    {
      head: 'Result',
      cell: ({ passed, undecided }) =>
        html`<span class="mark-cell ${passed ? 'good' : 'bad'}">${resultText(passed, undecided)}</span>`,
      text: true,
    },
    { head: 'Actual', cell: actualOf },
    { head: 'Margin', cell: margin },
    { head: 'Actual against limit', cell: bullet, text: true },
    { head: 'Samples', cell: ({ samples }) => count(samples) },
  ],
  all,
  'thresholds.csv',
)}`;
}

function mark(passed: boolean, undecided: boolean | undefined): string {
  if (undecided === true) return '⚠️';
  return passed ? '✅' : '❌';
}

function resultText(passed: boolean, undecided: boolean | undefined): string {
  if (undecided === true) return '? not decided';
  return passed ? '✓ held' : '✗ broken';
}

function actualOf({ actual, unit, floor }: Threshold): Fragment {
  return actual === null
    ? html`<span class="bad">no data</span>`
    : html`${formatAs(unit, actual)}<span class="quiet">${beside(actual, floor)}</span>`;
}

/** How much of the limit is left, or how far the value is beyond it; in its own unit where the limit is 0. */
function margin({ actual, wanted, comparison, unit, why }: Threshold): Fragment {
  if (actual === null) return html`<span class="quiet">${why ?? ''}</span>`;
  if (comparison === '==' || comparison === '!=') return '–';
  const room = comparison === '<' || comparison === '<=' ? wanted - actual : actual - wanted;
  const times = Math.abs(actual / wanted);
  if (room < 0 && wanted !== 0 && times >= 10)
    return html`<span class="bad">${significant(times)} times the limit</span>`;
  const size =
    wanted === 0
      ? formatAs(unit, Math.abs(room))
      : `${Math.abs((room / wanted) * 100).toFixed(Math.abs(room / wanted) < 0.1 ? 1 : 0)} %`;
  return room >= 0 ? html`${size} to spare` : html`<span class="bad">${size} beyond the limit</span>`;
}

const width = 150;
/** The limit stands at two thirds, so that half as much again still fits. */
const limit = (width * 2) / 3;

function bullet({ actual, wanted, comparison, passed }: Threshold): Fragment {
  if (actual === null || wanted <= 0 || comparison === '==' || comparison === '!=') return '';
  const length = Math.min(width, Math.max(1.5, (actual / wanted) * limit));
  const bar = html`<rect class="${passed ? 'ok' : 'over'}" width="${length.toFixed(1)}" y="3" height="8" rx="2"/>`;
  return html`<svg class="bullet" viewBox="0 0 ${width} 14" aria-hidden="true">
<rect class="track" width="${width}" y="3" height="8" rx="2"/>${bar}
<line class="limit" x1="${limit}" x2="${limit}" y1="0" y2="14"/></svg>`;
}
