/** How much slower or faster each percentile became: a constant offset, a factor or a tail alone show at a glance. */
import { formatMs, significant } from '../analysis/format.js';
import { html, type Markup } from '../report/html/markup.js';
import { emptyFigure, figure } from '../report/svg/figure.js';
import { grid, plot, px, widths, xLabel } from '../report/svg/frame.js';
import { linearScale } from '../report/svg/scale.js';

interface ShiftPoint {
  readonly percentile: number;
  readonly baseMs: number;
  readonly changedMs: number;
  readonly ratio: number;
  readonly low: number | null;
  readonly high: number | null;
}

const { full: width } = widths;
const height = 300;
const title = 'Change of latency by percentile';
const ticks: readonly number[] = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9];

export function shiftPlot(id: string, points: readonly ShiftPoint[], base: string, changed: string): Markup {
  if (points.length === 0) return emptyFigure(id, title, 'There are too few operations to compare percentiles.');
  const percents = points.flatMap(({ ratio, low, high }) =>
    [ratio, low ?? ratio, high ?? ratio].map((value) => (value - 1) * 100),
  );
  const y = linearScale(Math.min(0, ...percents), Math.max(0, ...percents) || 1, height - plot.bottom, plot.top + 4);
  const [first, last] = [logit(points[0]?.percentile ?? 1), logit(points.at(-1)?.percentile ?? 99)];
  const x = (percentile: number): number =>
    last === first
      ? width / 2
      : plot.left + ((logit(percentile) - first) / (last - first)) * (width - plot.left - plot.right);
  const at = (percentile: number, ratio: number): string => `${px(x(percentile))} ${px(y.at((ratio - 1) * 100))}`;
  const upper = points.map(({ percentile, ratio, high }) => at(percentile, high ?? ratio));
  const lower = points.map(({ percentile, ratio, low }) => at(percentile, low ?? ratio)).reverse();
  const shown = ticks.filter(
    (tick) => tick >= (points[0]?.percentile ?? 0) - 1e-9 && tick <= (points.at(-1)?.percentile ?? 0) + 1e-9,
  );
  const extremes = points.map(({ ratio }) => ratio);
  return figure({
    id,
    title,
    height,
    width,
    caption: `${changed} against ${base}. Above the line of 0 % it is slower. The band is the 95 % interval.`,
    description: `From ${percent(Math.min(...extremes))} to ${percent(Math.max(...extremes))}.`,
    keys: [
      { name: `${changed} / ${base}`, style: 's-main', shape: 'line' },
      { name: '95 % interval', style: 's-main', shape: 'area' },
    ],
    body: html`${grid(y, { width, height }, (value) => `${significant(value)} %`)}
${shown.map((tick) => xLabel(x(tick), { width, height }, `p${tick}`))}
<path class="fill s-main" d="M${[...upper, ...lower].join('L')}Z"/>
<line class="level" x1="${plot.left}" x2="${width - plot.right}" y1="${px(y.at(0))}" y2="${px(y.at(0))}"/>
<path class="line s-main" d="M${points.map(({ percentile, ratio }) => at(percentile, ratio)).join('L')}"/>`,
    table: {
      head: ['Percentile', base, changed, 'Change', '95 % interval'],
      rows: points.map(({ percentile, baseMs, changedMs, ratio, low, high }) => [
        `p${Number(percentile.toPrecision(4))}`,
        formatMs(baseMs),
        formatMs(changedMs),
        percent(ratio),
        low === null || high === null ? 'none' : `${percent(low)} to ${percent(high)}`,
      ]),
    },
  });
}

/** Both tails have the same room. */
function logit(percentile: number): number {
  return Math.log(percentile / (100 - percentile));
}

function percent(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change < 0 ? '-' : '+'}${significant(Math.abs(change))} %`;
}
