import { formatMs, significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { emptyFigure, figure } from '../../svg/figure.js';
import { frame, plot, px, type TimeContext, widths } from '../../svg/frame.js';
import { clock, logScale, timeScale } from '../../svg/scale.js';
import type { LatencyData } from './schema.js';

const steps = 7;
const { full: width } = widths;
const height = 300;
const title = 'Latency distribution over time';

/** Darker cells hold more operations, on a log scale; one path for each shade keeps the file small. */
export function heatMapChart(heatMap: LatencyData['heatMap'], time: TimeContext): Markup {
  const most = heatMap.columns.flat().reduce((peak, count) => Math.max(peak, count), 0);
  if (most === 0) return emptyFigure('heat', title, 'No operation succeeded, so there is nothing to show.');
  const { columnSeconds, rowsPerDecade, firstRow } = heatMap;
  const rows = heatMap.columns[0]?.length ?? 0;
  const edgeMs = (row: number): number => 10 ** ((firstRow + row) / rowsPerDecade) / 1000;
  const x = timeScale(time.endSeconds, plot.left, width - plot.right);
  const y = logScale(edgeMs(0), edgeMs(rows), height - plot.bottom, plot.top + 4);
  const cells = Array.from({ length: steps }, () => '');
  for (const [at, column] of heatMap.columns.entries()) {
    const [left, right] = [x.at(at * columnSeconds), Math.min(x.at((at + 1) * columnSeconds), width - plot.right)];
    for (const [row, count] of column.entries()) {
      if (count === 0 || right <= left) continue;
      const shade =
        most === 1 ? steps - 1 : Math.min(steps - 1, Math.floor((Math.log(count) / Math.log(most)) * steps));
      const [bottom, top] = [y.at(edgeMs(row)), y.at(edgeMs(row + 1))];
      cells[shade] += `M${px(left)} ${px(top)}h${px(right - left)}v${px(bottom - top)}h${px(left - right)}z`;
    }
  }
  return figure({
    id: 'heat',
    title,
    height,
    width,
    caption:
      'Every successful operation, by the time of its answer and its latency; darker cells hold more. ' +
      'Two bands mean two populations, which a percentile alone would hide. Logarithmic scale.',
    description:
      `Counts of operations in cells of ${columnSeconds} s by latency, ` +
      `from ${formatMs(edgeMs(0))} to ${formatMs(edgeMs(rows))}; the fullest cell holds ${significant(most)}.`,
    keys: [],
    scale: shadeKey(most),
    body: html`${frame(x, y, { width, height }, time, formatMs)}
${cells.map((path, shade) => html`<path class="heat" fill-opacity="${opacity(shade)}" d="${path}"/>`)}`,
    table: tableOf(heatMap, edgeMs, time.endSeconds),
  });
}

function opacity(shade: number): string {
  return px(0.16 + (0.84 * shade) / (steps - 1));
}

function shadeKey(most: number): Markup {
  return html`
<ul class="key"><li>1 <svg class="ramp" viewBox="0 0 ${steps * 16} 10" aria-hidden="true">${Array.from(
    { length: steps },
    (_, shade) => html`<rect class="heat" fill-opacity="${opacity(shade)}" x="${shade * 16}" width="16" height="10"/>`,
  )}</svg> ${significant(most)} operations in a cell</li></ul>`;
}

const mostRows = 24;
/** By time: how many operations there were, and the rows that hold them. */
function tableOf(
  { columns, columnSeconds }: LatencyData['heatMap'],
  edgeMs: (row: number) => number,
  endSeconds: number,
): { head: string[]; rows: string[][]; note?: string } {
  const step = Math.max(1, Math.ceil(columns.length / mostRows));
  const rows = columns.flatMap((column, at) => {
    const used = column.flatMap((count, row) => (count > 0 ? [row] : []));
    if (at % step !== 0 || used.length === 0) return [];
    const fullest = column.indexOf(Math.max(...column));
    return [
      [
        clock(at * columnSeconds, endSeconds),
        significant(column.reduce((sum, count) => sum + count, 0)),
        formatMs(edgeMs(used[0] ?? 0)),
        `${formatMs(edgeMs(fullest))} to ${formatMs(edgeMs(fullest + 1))}`,
        formatMs(edgeMs((used.at(-1) ?? 0) + 1)),
      ],
    ];
  });
  return {
    head: ['Time', 'Operations', 'Shortest', 'Most between', 'Longest'],
    rows,
    ...(step > 1 ? { note: `Every ${step}th column; all of them are in report.json.` } : {}),
  };
}
