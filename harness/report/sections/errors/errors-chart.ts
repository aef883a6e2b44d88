import { withoutByUs } from '../../../analysis/facts/target-errors.js';
import { significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { emptyFigure, figure } from '../../svg/figure.js';
import { frame, plot, px, type TimeContext, widths } from '../../svg/frame.js';
import { clock, linearScale, timeScale } from '../../svg/scale.js';
import { lengthOf, type Timeline } from '../load/timeline.js';

const { full: width } = widths;
const height = 220;
const mostBars = 180;
const styles = ['e-1', 'e-2', 'e-3', 'e-4'] as const;
const title = 'Failures a second, by category';

interface Bar {
  readonly from: number;
  readonly to: number;
  /** Failures a second, in the order of the categories. */
  readonly values: readonly number[];
}

export function errorsChart(timeline: Timeline, time: TimeContext): Markup {
  const totals = new Map<string, number>();
  for (const second of timeline)
    for (const [category, count] of failuresOf(second)) totals.set(category, (totals.get(category) ?? 0) + count);
  if (totals.size === 0) return emptyFigure('errors-time', title, 'No operation failed.');
  const ranked = [...totals]
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([category]) => category);
  const shown = ranked.slice(0, ranked.length > styles.length ? styles.length - 1 : styles.length);
  const names = ranked.length > shown.length ? [...shown, `${ranked.length - shown.length} others`] : shown;
  const bars = barsOf(timeline, shown, names.length > shown.length);
  const peak = bars.reduce(
    (most, { values }) =>
      Math.max(
        most,
        values.reduce((sum, value) => sum + value, 0),
      ),
    0,
  );
  const x = timeScale(time.endSeconds, plot.left, width - plot.right);
  const y = linearScale(0, peak, height - plot.bottom, plot.top + 4, 0, 4);
  return figure({
    id: 'errors-time',
    title,
    height,
    width,
    description: `Stacked bars over run time, at most ${significant(peak)} a second. ${names.join(', ')}.`,
    keys: names.map((name, at) => ({ name, style: styles[at] ?? 'e-4', shape: 'area' })),
    body: html`${frame(x, y, { width, height }, time, significant)}
${names.map((_, at) => html`<path class="fill solid ${styles[at] ?? 'e-4'}" d="${barPath(bars, at, x.at, y.at)}"/>`)}`,
    table: {
      head: ['Time', ...names],
      rows: bars
        .filter(({ values }) => values.some((value) => value > 0))
        .slice(0, 40)
        .map(({ from, values }) => [clock(from, time.endSeconds), ...values.map(significant)]),
    },
  });
}

/** Failures of the target; those that we caused ourselves have a section of their own. */
function failuresOf({ errors }: Timeline[number]): readonly (readonly [category: string, count: number])[] {
  return withoutByUs(Object.entries(errors ?? {}));
}

/** Bars of equal width; what was merged into a longer step counts for the bar in which the step begins. */
function barsOf(timeline: Timeline, shown: readonly string[], withOthers: boolean): readonly Bar[] {
  const last = timeline.at(-1);
  const end = last === undefined ? 0 : last.t + lengthOf(last);
  const longest = timeline.reduce((most, second) => Math.max(most, lengthOf(second)), 1);
  const width = Math.max(longest, Math.ceil(end / mostBars));
  const bars = Array.from({ length: Math.ceil(end / width) }, (_, at) => ({
    from: at * width,
    to: Math.min(end, (at + 1) * width),
    values: Array.from({ length: shown.length + (withOthers ? 1 : 0) }, () => 0),
  }));
  for (const second of timeline) {
    const bar = bars[Math.floor(second.t / width)];
    if (bar === undefined) continue;
    for (const [category, count] of failuresOf(second)) {
      const at = shown.indexOf(category);
      const layer = at === -1 ? shown.length : at;
      bar.values[layer] = (bar.values[layer] ?? 0) + count / (bar.to - bar.from);
    }
  }
  return bars;
}

function barPath(bars: readonly Bar[], layer: number, x: (t: number) => number, y: (value: number) => number): string {
  return bars
    .map(({ from, to, values }) => {
      const value = values[layer] ?? 0;
      if (value === 0) return '';
      const base = values.slice(0, layer).reduce((sum, below) => sum + below, 0);
      const gap = Math.min(1, (x(to) - x(from)) * 0.1);
      return `M${px(x(from) + gap / 2)} ${px(y(base))}V${px(y(base + value))}H${px(x(to) - gap / 2)}V${px(y(base))}Z`;
    })
    .join('');
}
