import { type Fragment, html, type Markup } from '../html/markup.js';
import { figure } from './figure.js';
import { frame, plot, px, type TimeContext, widths } from './frame.js';
import { clock, linearScale, logScale, timeScale } from './scale.js';

export interface Point {
  readonly x: number;
  /** Null where there is no data: the line has a gap. */
  readonly y: number | null;
}

export interface Series {
  readonly name: string;
  /** Class of the line in the style sheet: a colour and a dash. */
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
  /** Each point is the value of the second that begins at its x. */
  readonly perSecond?: boolean;
  /** For things that come in whole numbers: the axis has no half clients. */
  readonly whole?: boolean;
  /** How far the axis reaches at least, when values have a natural end (1 for a share). */
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
  // A level far above the data would flatten the data on the axis.
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
${series.map((one) => [
  one.area === true ? html`<path class="fill ${one.style}" d="${areaPath(one.points, x.at, y.at, bottomPx)}"/>` : '',
  html`<path class="line ${one.style}" d="${linePath(one.points, x.at, y.at)}"/>`,
])}
${levels.map((level, at) => levelLine(level, y.at(level.y), width, at % 2 === 0))}`,
    table: tableOf(chart),
  });
}

/** The value of a second stands in its middle; the first and the last reach to the ends of the axis. */
function acrossSeconds(points: readonly Point[]): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [first, ...points.map(({ x, y }) => ({ x: x + 0.5, y })), { x: last.x + 1, y: last.y }];
}

/** The texts stand right and left in turn, so that two levels close to each other can be read. */
function levelLine({ text }: { readonly text: string }, at: number, width: number, right: boolean): Markup {
  const [x, anchor] = right ? [width - plot.right - 4, 'end'] : [plot.left + 6, 'start'];
  return html`
<line class="level" x1="${plot.left}" x2="${width - plot.right}" y1="${px(at)}" y2="${px(at)}"/>
<text class="level-text" x="${x}" y="${px(at - 5)}" text-anchor="${anchor}">${text}</text>`;
}

type XY = readonly [x: number, y: number];
type ToPx = (value: number) => number;

/** Stretches of consecutive data. */
function stretches(points: readonly Point[]): readonly (readonly XY[])[] {
  const all: XY[][] = [];
  let open: XY[] | undefined;
  for (const { x, y } of points) {
    if (y === null) open = undefined;
    else if (open === undefined) all.push((open = [[x, y]]));
    else open.push([x, y]);
  }
  return all;
}

function linePath(points: readonly Point[], x: ToPx, y: ToPx): string {
  return stretches(points)
    .map((stretch) => (stretch.length === 1 ? dash(stretch[0] ?? [0, 0], x, y) : `M${polyline(stretch, x, y)}`))
    .join('');
}

/** A single point is drawn as a short dash, so that it is seen. */
function dash([left, level]: XY, x: ToPx, y: ToPx): string {
  return `M${px(x(left) - 2)} ${px(y(level))}h4`;
}

function polyline(stretch: readonly XY[], x: ToPx, y: ToPx): string {
  return stretch.map(([left, level]) => `${px(x(left))} ${px(y(level))}`).join('L');
}

function areaPath(points: readonly Point[], x: ToPx, y: ToPx, bottomPx: number): string {
  return stretches(points)
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => `M${px(x(stretch[0]?.[0] ?? 0))} ${bottomPx}L${polyline(stretch, x, y)}V${bottomPx}Z`)
    .join('');
}

function describe(series: readonly Series[], format: LineChart['format']): string {
  return `Over run time. ${series
    .map(({ name, points }) => {
      const values = points.flatMap(({ y }) => (y === null ? [] : [y]));
      if (values.length === 0) return `${name}: no data.`;
      const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
      return `${name}: ${format(low)} to ${format(high)}.`;
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

/** At most `limit` points; each stretch of time keeps its lowest and its highest, so that no spike is lost. */
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
  if (low === high) return [low];
  return low.x < high.x ? [low, high] : [high, low];
}
