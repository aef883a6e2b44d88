import { type Fragment, html, type Markup } from '../html/markup.js';
import { figure } from './figure.js';
import { frame, plot, px, type TimeContext, widths } from './frame.js';
import { clock, linearScale, logScale, timeScale } from './scale.js';

export interface Series {
  readonly name: string;
  /** Class of the line: a colour and a dash, see the style sheet. */
  readonly style: string;
  readonly points: readonly Point[];
  /** Filled down to zero. */
  readonly area?: boolean;
}

interface LineChart {
  readonly id: string;
  readonly title: string;
  readonly caption?: Fragment;
  readonly time: TimeContext;
  readonly series: readonly Series[];
  /** For axis and table. */
  readonly format: (value: number) => string;
  /** Levels worth a line of their own, such as a threshold. */
  readonly levels?: readonly { readonly y: number; readonly text: string }[];
  readonly height?: number;
  readonly width?: keyof typeof widths;
  /** Each point stands for the second that begins at its x. */
  readonly perSecond?: boolean;
  /** Things that come in whole numbers: no half client on the axis. */
  readonly whole?: boolean;
  /** Of the whole axis, when values have a natural end (1 for a share). */
  readonly atLeast?: number;
  /** `auto`: when values span more than two decades. */
  readonly logarithmic?: 'auto';
}

export function lineChart(chart: LineChart): Markup {
  const { id, title, caption, time, format, height = 270 } = chart;
  const width = widths[chart.width ?? 'full'];
  const series = chart.series.map((one) => ({
    ...one,
    points: downsample(chart.perSecond === true ? acrossSeconds(one.points) : one.points),
  }));
  const values = series.flatMap(({ points }) => points.flatMap(({ y }) => (y === null ? [] : [y])));
  const peak = values.reduce((most, value) => Math.max(most, value), chart.atLeast ?? 0);
  const positive = values.filter((value) => value > 0);
  const lowest = positive.reduce((least, value) => Math.min(least, value), Infinity);
  const logarithmic = chart.logarithmic === 'auto' && positive.length > 0 && peak / lowest > 100;
  // A level far above everything would press the data flat on the axis.
  const levels = (chart.levels ?? []).filter(({ y }) => y > 0 && y <= peak * (logarithmic ? 10 : 1.6));
  const top = levels.reduce((most, { y }) => Math.max(most, y), peak === 0 ? 1 : peak);
  const x = timeScale(time.endSeconds, plot.left, width - plot.right, width / 108);
  const [bottomPx, topPx] = [height - plot.bottom, plot.top + 4];
  const y = logarithmic
    ? logScale(lowest, top, bottomPx, topPx)
    : linearScale(0, top, bottomPx, topPx, chart.whole === true ? 1 : 0);
  return figure({
    id,
    title,
    caption: logarithmic ? [caption ?? '', ' Logarithmic scale.'] : (caption ?? ''),
    height,
    width,
    description: describe(series, format),
    keys: series.map((one) => ({ name: one.name, style: one.style, shape: one.area === true ? 'area' : 'line' })),
    body: html`${frame(x, y, { width, height }, time, format)}
${series.map((one) => html`${one.area === true ? html`<path class="fill ${one.style}" d="${areaPath(one.points, x.at, y.at, bottomPx)}"/>` : ''}<path class="line ${one.style}" d="${linePath(one.points, x.at, y.at)}"/>`)}
${levels.map((level, at) => levelLine(level, y.at(level.y), width, at % 2 === 0))}`,
    table: tableOf(chart),
  });
}

/** A second's value stands in its middle; the first and the last reach to the ends of the axis. */
function acrossSeconds(points: readonly Point[]): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [first, ...points.map(({ x, y }) => ({ x: x + 0.5, y })), { x: last.x + 1, y: last.y }];
}

/** Every second one has its words at the left, so that two close ones can be read. */
function levelLine({ text }: { readonly text: string }, at: number, width: number, right: boolean): Markup {
  return html`
<line class="level" x1="${plot.left}" x2="${width - plot.right}" y1="${px(at)}" y2="${px(at)}"/><text class="level-text" x="${right ? width - plot.right - 4 : plot.left + 6}" y="${px(at - 5)}" text-anchor="${right ? 'end' : 'start'}">${text}</text>`;
}

/** Stretches of consecutive data; a single point alone is drawn as a short dash so that it is seen. */
function stretches(points: readonly Point[]): readonly (readonly (readonly [x: number, y: number])[])[] {
  const all: (readonly [number, number])[][] = [];
  let open: (readonly [number, number])[] | undefined;
  for (const { x, y } of points) {
    if (y === null) open = undefined;
    else if (open === undefined) all.push((open = [[x, y]]));
    else open.push([x, y]);
  }
  return all;
}

type ToPx = (value: number) => number;
function linePath(points: readonly Point[], x: ToPx, y: ToPx): string {
  return stretches(points)
    .map((stretch) =>
      stretch.length === 1
        ? dash(stretch[0] ?? [0, 0], x, y)
        : `M${stretch.map(([px_, py]) => `${px(x(px_))} ${px(y(py))}`).join('L')}`,
    )
    .join('');
}
function dash([left, level]: readonly [number, number], x: ToPx, y: ToPx): string {
  return `M${px(x(left) - 2)} ${px(y(level))}h4`;
}

function areaPath(points: readonly Point[], x: ToPx, y: ToPx, bottomPx: number): string {
  return stretches(points)
    .filter((stretch) => stretch.length > 1)
    .map(
      (stretch) =>
        `M${px(x(stretch[0]?.[0] ?? 0))} ${bottomPx}L${stretch.map(([left, level]) => `${px(x(left))} ${px(y(level))}`).join('L')}V${bottomPx}Z`,
    )
    .join('');
}

function describe(series: readonly Series[], format: LineChart['format']): string {
  return `Over run time. ${series
    .map(({ name, points }) => {
      const values = points.flatMap(({ y }) => (y === null ? [] : [y]));
      if (values.length === 0) return `${name}: no data.`;
      return `${name}: ${format(values.reduce((a, b) => Math.min(a, b)))} to ${format(values.reduce((a, b) => Math.max(a, b)))}.`;
    })
    .join(' ')}`;
}

const mostRows = 40;
function tableOf({ series, time, format }: LineChart): { head: string[]; rows: string[][]; note?: string } {
  const longest = series.reduce<readonly Point[]>(
    (best, { points }) => (points.length > best.length ? points : best),
    [],
  );
  const step = Math.max(1, Math.ceil(longest.length / mostRows));
  const rows = longest
    .filter((_, at) => at % step === 0)
    .map(({ x }) => [
      clock(x, time.endSeconds),
      ...series.map(({ points }) => {
        const y = points.find((point) => point.x >= x)?.y ?? null;
        return y === null ? '–' : format(y);
      }),
    ]);
  return {
    head: ['Time', ...series.map(({ name }) => name)],
    rows,
    ...(step > 1 ? { note: `Every ${step}th point; all of them are in timeline.csv and report.json.` } : {}),
  };
}

export interface Point {
  readonly x: number;
  /** Null: no data; the line has a gap there. */
  readonly y: number | null;
}

/** At most `limit` points; each stretch of time keeps its lowest and its highest, so no spike is lost. */
export function downsample(points: readonly Point[], limit = 1000): readonly Point[] {
  if (points.length <= limit) return points;
  const buckets = Math.floor(limit / 2);
  const kept: Point[] = [];
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const slice = points.slice(
      Math.floor((bucket * points.length) / buckets),
      Math.floor(((bucket + 1) * points.length) / buckets),
    );
    kept.push(...extremes(slice));
  }
  return kept;
}

function extremes(slice: readonly Point[]): readonly Point[] {
  let low: Point | undefined;
  let high: Point | undefined;
  for (const point of slice) {
    if (point.y === null) continue;
    if (low?.y === undefined || low.y === null || point.y < low.y) low = point;
    if (high?.y === undefined || high.y === null || point.y > high.y) high = point;
  }
  if (low === undefined || high === undefined) return slice.slice(0, 1);
  return low === high ? [low] : low.x < high.x ? [low, high] : [high, low];
}
