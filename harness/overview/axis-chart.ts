/** A figure of runs against the values of an axis of a matrix. */
import { peak } from '../analysis/statistics/numbers.js';
import { type Fragment, html, type Markup } from '../report/html/markup.js';
import { emptyFigure, figure } from '../report/svg/figure.js';
import { grid, plot, px, widths, xLabel } from '../report/svg/frame.js';
import { linearScale, logScale } from '../report/svg/scale.js';

interface AxisChart {
  readonly id: string;
  readonly title: string;
  readonly caption: Fragment;
  readonly axis: string;
  readonly values: readonly string[];
  /** `ys[i]` belongs to `values[i]`: the trials of that point, or none. */
  readonly series: readonly { readonly name: string; readonly ys: readonly (readonly number[])[] }[];
  readonly format: (value: number) => string;
}

/** As many lines as colours can keep apart. */
export const MOST_SERIES = 8;
const styles = ['s-main', 's-accent', 's-good', 's-other', 's-bad', 's-p50', 's-plain', 's-p99'];

/** The style of the line at `index`. */
export function lineStyle(index: number): string {
  return `${colourOf(index)}${index % 2 === 1 ? ' dashed' : ''}`;
}

function colourOf(index: number): string {
  return styles[index % styles.length] ?? 's-main';
}

const { full: width } = widths;
const height = 280;

/** Values have equal distances: they may be names, and numbers such as 1, 2, 4, 8 are steps, too. */
export function axisChart({ id, title, caption, axis, values, series: all, format }: AxisChart): Markup {
  const series = all.slice(0, MOST_SERIES);
  const ys = series.flatMap((one) => one.ys.flat());
  if (ys.length === 0) return emptyFigure(id, title, 'No run has this figure.');
  const positive = ys.filter((value) => value > 0);
  const [low, high] = [Math.min(...positive), peak(ys)];
  const [bottom, top] = [height - plot.bottom, plot.top + 4];
  const y =
    positive.length === ys.length && high / low > 30
      ? logScale(low, high, bottom, top)
      : linearScale(0, high || 1, bottom, top);
  const step = (width - plot.left - plot.right) / values.length;
  const x = (index: number): number => plot.left + step * (index + 0.5);
  return figure({
    id,
    title,
    caption: all.length > series.length ? [caption, ` The first ${series.length} of ${all.length} series.`] : caption,
    height,
    width,
    description: series
      .map(({ name, ys: own }) => {
        const known = own.flat();
        return known.length === 0
          ? `${name}: no data.`
          : `${name}: ${format(Math.min(...known))} to ${format(peak(known))}.`;
      })
      .join(' '),
    keys: series.map(({ name }, index) => ({ name, style: lineStyle(index), shape: 'line' as const })),
    body: html`${grid(y, { width, height }, format)}
${values.map((value, index) => xLabel(x(index), { width, height }, value))}
${series.map(({ ys: own }, index) => {
  const means = own.flatMap((trials, at) =>
    trials.length === 0 ? [] : [[at, trials.reduce((sum, one) => sum + one, 0) / trials.length] as const],
  );
  const path = means.map(([at, mean]) => `${px(x(at))} ${px(y.at(mean))}`).join('L');
  const dots = own.flatMap((trials, at) => trials.map((one) => [x(at), y.at(one)] as const));
  return html`${means.length > 1 ? html`<path class="line ${lineStyle(index)}" d="M${path}"/>` : ''}
${dots.map(([cx, cy]) => html`<circle class="line ${colourOf(index)}" cx="${px(cx)}" cy="${px(cy)}" r="3.5"/>`)}`;
})}`,
    table: {
      head: [axis, ...series.map(({ name }) => name)],
      rows: values.map((value, at) => [
        value,
        ...series.map(({ ys: own }) => (own[at] ?? []).map(format).join(', ') || '–'),
      ]),
    },
  });
}
