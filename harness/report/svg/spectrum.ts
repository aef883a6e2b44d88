import type { Histogram } from 'hdr-histogram-js';
import { formatMs, significant } from '../../analysis/format.js';
import { html, type Markup } from '../html/markup.js';
import { figure } from './figure.js';
import { grid, plot, px, widths, xLabel } from './frame.js';
import { linearScale, logScale } from './scale.js';

const { full: width } = widths;
const height = 300;
const pointsPerNine = 40;

export interface Curve {
  readonly name: string;
  readonly style: string;
  /** Microseconds. */
  readonly histogram: Distribution;
}

/** A histogram, or what another tool has written of one. */
export type Distribution = Pick<Histogram, 'totalCount' | 'getValueAtPercentile'>;

interface Spectrum {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** At least one. */
  readonly curves: readonly Curve[];
  /** Horizontal lines with a text, such as a threshold; milliseconds. */
  readonly levels?: readonly { readonly ms: number; readonly text: string }[];
}

/** Latency by percentile with a log tail, as HdrHistogram's plotter draws it: every further 9 has the same width. */
export function spectrumChart({ id, title, caption, curves, levels = [] }: Spectrum): Markup {
  const count = curves.reduce((most, { histogram }) => Math.max(most, histogram.totalCount), 1);
  const nines = Math.max(1, Math.log10(count));
  const values = curves
    .flatMap(({ histogram }) => [histogram.getValueAtPercentile(0), histogram.getValueAtPercentile(100)])
    .map((us) => us / 1000);
  // A level far above the data would flatten the data on the axis.
  const [least, most] = [Math.max(0.001, Math.min(...values)), Math.max(...values)];
  const shown = levels.filter(({ ms }) => ms > 0 && ms <= most * 3);
  const [low, high] = [least, Math.max(most, ...shown.map(({ ms }) => ms))];
  const y =
    high / low > 30
      ? logScale(low, high, height - plot.bottom, plot.top - 8)
      : linearScale(0, high, height - plot.bottom, plot.top - 8);
  const x = (of: number): number => plot.left + (of / nines) * (width - plot.left - plot.right);
  const ticks = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].filter(
    (share) => -Math.log10(1 - share) <= nines + 1e-9,
  );
  return figure({
    id,
    title,
    height,
    width,
    caption,
    description: curves
      .map(
        ({ name, histogram }) =>
          `${name}: ${latencyAt(histogram, 50)} at 50 %, ${latencyAt(histogram, 99)} at 99 %, ` +
          `${latencyAt(histogram, 100)} at the end.`,
      )
      .join(' '),
    keys: curves.map(({ name, style }) => ({ name, style, shape: 'line' })),
    body: html`${grid(y, { width, height }, formatMs)}
${ticks.map((share) => percentileTick(share, x(-Math.log10(1 - share))))}
${curves.map(({ style, histogram }) => {
  return html`<path class="line ${style}" d="${curvePath(histogram, nines, x, y.at)}"/>`;
})}
${shown.map((level) => levelLine(level, y.at(level.ms)))}`,
    table: {
      head: ['Percentile', ...curves.map(({ name }) => name)],
      rows: [0, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100]
        .map((percentile) => [`${percentile} %`, ...curves.map(({ histogram }) => latencyAt(histogram, percentile))])
        .concat([['Operations', ...curves.map(({ histogram }) => significant(histogram.totalCount))]]),
    },
  });
}

function levelLine({ text }: { readonly text: string }, at: number): Markup {
  return html`
<line class="level" x1="${plot.left}" x2="${width - plot.right}" y1="${px(at)}" y2="${px(at)}"/>
<text class="level-text" x="${plot.left + 6}" y="${px(at - 5)}">${text}</text>`;
}

function latencyAt(histogram: Distribution, percentile: number): string {
  return formatMs(histogram.getValueAtPercentile(percentile) / 1000);
}

function percentileTick(share: number, at: number): Markup {
  return html`<line class="grid" x1="${px(at)}" x2="${px(at)}" y1="${plot.top - 8}" y2="${height - plot.bottom}"/>
${xLabel(at, { width, height }, percentLabel(share))}`;
}

function percentLabel(share: number): string {
  return `${Number((share * 100).toPrecision(8))} %`;
}

/** Ends at this histogram's own last operation; beyond it nothing is known. */
function curvePath(
  histogram: Distribution,
  nines: number,
  x: (of: number) => number,
  y: (ms: number) => number,
): string {
  const last = Math.min(nines, Math.max(Math.log10(histogram.totalCount), 0.3));
  const points = Math.ceil(last * pointsPerNine);
  return `M${Array.from({ length: points + 1 }, (_, at) => {
    const of = (at / points) * last;
    const percentile = at === points ? 100 : (1 - 10 ** -of) * 100;
    return `${px(x(of))} ${px(y(histogram.getValueAtPercentile(percentile) / 1000))}`;
  }).join('L')}`;
}
