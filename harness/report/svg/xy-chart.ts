import { type Fragment, html, type Markup } from '../html/markup.js';
import { figure } from './figure.js';
import { grid, plot, px, widths, xLabel } from './frame.js';
import { linearScale, logScale } from './scale.js';

interface XySeries {
  readonly name: string;
  readonly style: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Marks only, no line through them. */
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
  /** Upright lines with their words, such as a capacity. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  readonly logarithmicY?: boolean;
}

const { full: width } = widths;
const height = 300;

/** Measurements of one thing against another, where time is not an axis. Precondition: at least one point. */
export function xyChart({
  id,
  title,
  caption,
  description,
  series,
  xFormat,
  yFormat,
  marks = [],
  logarithmicY = false,
}: XyChart): Markup {
  const points = series.flatMap((one) => one.points);
  const most = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((peak, point) => Math.max(peak, pick(point)), 0);
  const x = linearScale(
    0,
    Math.max(
      most((point) => point.x),
      ...marks.map((mark) => mark.x),
    ) || 1,
    plot.left,
    width - plot.right,
    0,
    8,
  );
  const [bottom, top] = [height - plot.bottom, plot.top + 4];
  const positive = points.map((point) => point.y).filter((value) => value > 0);
  const y =
    logarithmicY && positive.length > 0
      ? logScale(
          Math.min(...positive),
          most((point) => point.y),
          bottom,
          top,
        )
      : linearScale(0, most((point) => point.y) || 1, bottom, top);
  const sorted = (one: XySeries) => [...one.points].sort((a, b) => a.x - b.x);
  return figure({
    id,
    title,
    caption,
    description,
    height,
    width,
    keys: series.map((one) => ({ name: one.name, style: one.style, shape: 'line' })),
    body: html`${grid(y, { width, height }, yFormat)}
${x.ticks.map((tick) => xLabel(x.at(tick), { width, height }, xFormat(tick)))}
${marks.map((mark) => html`<line class="mark" x1="${px(x.at(mark.x))}" x2="${px(x.at(mark.x))}" y1="${plot.top}" y2="${bottom}"/><text class="mark-text" x="${px(x.at(mark.x) - 4)}" y="${plot.top + 10}" text-anchor="end">${mark.text}</text>`)}
${series
  .filter((one) => one.dots !== true && one.points.length > 1)
  .map(
    (one) =>
      html`<path class="line ${one.style}" d="M${sorted(one)
        .map((point) => `${px(x.at(point.x))} ${px(y.at(point.y))}`)
        .join('L')}"/>`,
  )}
${series.filter((one) => one.dots === true || one.points.length === 1).map((one) => one.points.map((point) => html`<circle class="line ${one.style}" cx="${px(x.at(point.x))}" cy="${px(y.at(point.y))}" r="4"/>`))}`,
    table: {
      head: ['Series', 'x', 'y'],
      rows: series
        .filter((one) => one.points.length <= 60)
        .flatMap((one) => sorted(one).map((point) => [one.name, xFormat(point.x), yFormat(point.y)])),
    },
  });
}
