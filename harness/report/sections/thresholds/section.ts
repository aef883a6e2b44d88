import { formatAs, significant } from '../../../analysis/format.js';
import { type Fragment, html, type Markup } from '../../html/markup.js';
import { table } from '../../html/table.js';
import type { Report } from '../../schema.js';
import { count } from '../../values.js';

type Threshold = Report['thresholds'][number];

export function thresholdsSection({ thresholds, verdict }: Report): Markup {
  return html`
<h2 id="thresholds">Thresholds</h2>
${
  thresholds.length === 0
    ? html`<p class="empty">This scenario has no thresholds: its verdict speaks of the measurement alone.</p>`
    : html`
${verdict.kind === 'invalid' || verdict.kind === 'incomplete' ? html`<p class="note">The run is ${verdict.kind}: what held and what did not is listed, but proves little.</p>` : ''}
${table<Threshold>(
  'Over the measured stages',
  [
    { head: 'Threshold', cell: ({ check }) => html`<code>${check}</code>` },
    {
      head: 'Result',
      cell: ({ passed }) =>
        html`<span class="mark-cell ${passed ? 'good' : 'bad'}">${passed ? '✓ held' : '✗ broken'}</span>`,
      text: true,
    },
    { head: 'Actual', cell: actual },
    { head: 'Margin', cell: margin },
    { head: 'Actual against limit', cell: bullet, text: true },
    { head: 'Samples', cell: ({ samples }) => count(samples) },
  ],
  thresholds,
)}`
}`;
}

function actual(threshold: Threshold): Fragment {
  return threshold.actual === null
    ? html`<span class="bad">no data</span>`
    : formatAs(threshold.unit, threshold.actual);
}

/** How much of the limit is left, or by how much it is overrun; in its own unit where the limit is 0. */
function margin({ actual: is, wanted, comparison, unit, why }: Threshold): Fragment {
  if (is === null) return html`<span class="quiet">${why ?? ''}</span>`;
  if (comparison === '==' || comparison === '!=') return '–';
  const room = comparison === '<' || comparison === '<=' ? wanted - is : is - wanted;
  const times = Math.abs(is / wanted);
  if (room < 0 && wanted !== 0 && times >= 10)
    return html`<span class="bad">${significant(times)} times the limit</span>`;
  const size =
    wanted === 0
      ? formatAs(unit, Math.abs(room))
      : `${Math.abs((room / wanted) * 100).toFixed(Math.abs(room / wanted) < 0.1 ? 1 : 0)} %`;
  return room >= 0 ? html`${size} to spare` : html`<span class="bad">${size} beyond</span>`;
}

const width = 150;
/** The limit stands at two thirds, so that half as much again still fits. */
function bullet({ actual: is, wanted, comparison, passed }: Threshold): Fragment {
  if (is === null || wanted <= 0 || comparison === '==' || comparison === '!=') return '';
  const limit = (width * 2) / 3;
  const length = Math.min(width, Math.max(1.5, (is / wanted) * limit));
  return html`<svg class="bullet" viewBox="0 0 ${width} 14" aria-hidden="true"><rect class="track" width="${width}" y="3" height="8" rx="2"/><rect class="${passed ? 'ok' : 'over'}" width="${length.toFixed(1)}" y="3" height="8" rx="2"/><line class="limit" x1="${limit}" x2="${limit}" y1="0" y2="14"/></svg>`;
}
