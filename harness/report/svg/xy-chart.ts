import { peak } from '../../analysis/statistics/numbers.js';
import { type Fragment, html, type Markup } from '../html/markup.js';
import { figure } from './figure.js';
import { grid, plot, px, widths, xLabel } from './frame.js';
import { linearScale, logScale, type Scale } from './scale.js';

interface XyPoint {
  readonly x: number;
  readonly y: number;
}

interface XySeries {
  readonly name: string;
  readonly style: string;
  readonly points: readonly XyPoint[];
  /** Dots only, without a line through them. */
  readonly dots?: boolean;
}

interface XyChart {
  readonly id: string;
  readonly title: string;
  readonly caption: Fragment;
  readonly description: string;
  readonly series: readonly XySeries[];
  readonly xFormat: (value: number) => string;
  readonly yFormat: (value: number) => string;
  /** Vertical lines with a text, such as the capacity. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  readonly logarithmicY?: boolean;
}

const { full: width } = widths;
const height = 300;
/** A series with more points than this is not in the table of numbers. */
const mostRows = 60;

/** Measurements of one thing against another, where time is not an axis. Precondition: at least one point. */
export function xyChart(chart: XyChart): Markup {
  const { id, title, caption, description, series, xFormat, yFormat, marks = [] } = chart;
  const points = series.flatMap((one) => one.points);
  const [bottom, top] = [height - plot.bottom, plot.top + 4];
  const x = linearScale(
    0,
    Math.max(peak(points.map((point) => point.x)), ...marks.map((mark) => mark.x)) || 1,
    plot.left,
    width - plot.right,
    0,
    8,
  );
  const values = points.map((point) => point.y);
  const positive = values.filter((value) => value > 0);
  const y =
    chart.logarithmicY === true && positive.length > 0
      ? logScale(Math.min(...positive), peak(values), bottom, top)
      : linearScale(0, peak(values) || 1, bottom, top);
  const lines = series.filter(({ dots, points: own }) => dots !== true && own.length > 1);
  const dotted = series.filter(({ dots, points: own }) => dots === true || own.length === 1);
  return figure({
    id,
    title,
    caption,
    description,
    height,
    width,
    keys: series.map(({ name, style }) => ({ name, style, shape: 'line' })),
    body: html`${grid(y, { width, height }, yFormat)}
${x.ticks.map((tick) => xLabel(x.at(tick), { width, height }, xFormat(tick)))}
${marks.map(({ x: at, text }) => markLine(x.at(at), bottom, text))}
${lines.map((one) => html`<path class="line ${one.style}" d="M${pathOf(sorted(one), x, y)}"/>`)}
${dotted.map((one) => one.points.map((point) => dot(one.style, x.at(point.x), y.at(point.y))))}`,
    table: {
      head: ['Series', 'x', 'y'],
      rows: series
        .filter((one) => one.points.length <= mostRows)
        .flatMap((one) => sorted(one).map((point) => [one.name, xFormat(point.x), yFormat(point.y)])),
    },
  });
}

function sorted({ points }: XySeries): readonly XyPoint[] {
  return [...points].sort((a, b) => a.x - b.x);
}

function pathOf(points: readonly XyPoint[], x: Scale, y: Scale): string {
  return points.map((point) => `${px(x.at(point.x))} ${px(y.at(point.y))}`).join('L');
}

function markLine(x: number, bottom: number, text: string): Markup {
  return html`<line class="mark" x1="${px(x)}" x2="${px(x)}" y1="${plot.top}" y2="${bottom}"/>
<text class="mark-text" x="${px(x - 4)}" y="${plot.top + 10}" text-anchor="end">${text}</text>`;
}

function dot(style: string, x: number, y: number): Markup {
  return html`<circle class="line ${style}" cx="${px(x)}" cy="${px(y)}" r="4"/>`;
}
