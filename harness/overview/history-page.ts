/** How the figures of scenarios went, run by run: one file, no script, nothing fetched. */
import { formatMs, plural, significant } from '../analysis/format.js';
import { type ChangePoint, changePoints } from '../analysis/statistics/change-points.js';
import { head } from '../report/html/head.js';
import { html, type Markup } from '../report/html/markup.js';
import { table } from '../report/html/table.js';
import { emptyFigure } from '../report/svg/figure.js';
import { xyChart } from '../report/svg/xy-chart.js';
import { ms, rate, share } from '../report/values.js';
import type { HistoryEntry } from './history.js';

export interface Trend {
  readonly scenario: string;
  /** By time. Runs that are invalid or incomplete are not among them. */
  readonly entries: readonly HistoryEntry[];
  readonly figures: readonly TrendFigure[];
}

export interface TrendFigure {
  /** `latency p95`, `throughput` ... */
  readonly name: string;
  /** Of the entries that have it. */
  readonly points: readonly { readonly entry: HistoryEntry; readonly value: number }[];
  /** Where its level changed; the index is that of `points`. */
  readonly changes: readonly ChangePoint[];
  readonly format: (value: number) => string;
}

/** A chart of more runs would show them no better. */
const MOST_RUNS = 1000;

/** One trend for each scenario, in the order of their names. */
export function trendsOf(history: readonly HistoryEntry[]): readonly Trend[] {
  const scenarios = [...new Set(history.map(({ scenario }) => scenario))].toSorted();
  return scenarios.map((scenario) => {
    const entries = history
      .filter((one) => one.scenario === scenario && (one.verdict === 'passed' || one.verdict === 'failed'))
      .slice(-MOST_RUNS);
    const quantiles = [...new Set(entries.flatMap(({ figures }) => Object.keys(figures.latencyMs)))];
    const perSecond = (value: number): string => `${significant(value)}/s`;
    return {
      scenario,
      entries,
      figures: [
        ...quantiles.map((name) =>
          figureOf(`latency ${name}`, entries, formatMs, ({ figures }) => figures.latencyMs[name] ?? null),
        ),
        figureOf('throughput', entries, perSecond, ({ figures }) => figures.throughputPerSecond),
      ],
    };
  });
}

function figureOf(
  name: string,
  entries: readonly HistoryEntry[],
  format: TrendFigure['format'],
  pick: (entry: HistoryEntry) => number | null,
): TrendFigure {
  const points = entries.flatMap((entry) => {
    const value = pick(entry);
    return value === null ? [] : [{ entry, value }];
  });
  return { name, points, format, changes: changePoints(points.map(({ value }) => value)) };
}

export function renderHistory(trends: readonly Trend[], version: string, command: string): string {
  return html`${head('History')}
<body>
<header>
<h1>History</h1>
<p class="meta"><span>${plural(trends.length, 'scenario')}</span></p>
</header>
<main>
<p>Marks show where the level of a figure seems to have changed. They are hints: the server, the machine or the scenario
may have changed, and one mark in some hundred series is chance. <code>swarmbench compare</code> decides.</p>
${trends.map(trendSection)}
</main>
<footer>Rendered by swarmbench ${version}. Command: ${command}</footer>
</body>
</html>
`.text;
}

function trendSection({ scenario, entries, figures }: Trend, at: number): Markup {
  const settings = new Set(entries.map(({ fingerprint }) => fingerprint)).size;
  return html`<h2 id="scenario-${at + 1}">${scenario}</h2>
<p>${entries.length} runs that can be trusted${settings > 1 ? `, in ${settings} settings` : ''}.
${settings > 1 ? 'Load, target or environment changed between them.' : ''}</p>
${figures.map((figure, index) => trendChart(figure, `trend-${at + 1}-${index + 1}`))}
${changesTable(figures)}
${runsTable(entries)}`;
}

function trendChart({ name, points, changes, format }: TrendFigure, id: string): Markup {
  if (points.length === 0) return emptyFigure(id, name, 'No run has this figure.');
  const dateAt = (index: number): string => points[index]?.entry.startedAt.slice(0, 10) ?? '';
  return xyChart({
    id,
    title: name,
    caption: 'A dot is a run, in the order in which they were made.',
    description: `${points.length} runs. ${changes.map((change) => changeText(change, format)).join(' ')}`,
    series: [
      { name, style: 's-main', points: points.map(({ value }, x) => ({ x, y: value })), dots: true },
      ...levelsOf(
        points.length,
        changes,
        points.map(({ value }) => value),
      ),
    ],
    xFormat: dateAt,
    yFormat: format,
    marks: changes.map((change) => ({ x: change.index - 0.5, text: changeText(change, format) })),
  });
}

/** The median of each stretch between two changes. */
function levelsOf(
  length: number,
  changes: readonly ChangePoint[],
  values: readonly number[],
): readonly { name: string; style: string; points: { x: number; y: number }[] }[] {
  const ends = [0, ...changes.map(({ index }) => index), length];
  return ends.slice(1).map((to, at) => {
    const from = ends[at] ?? 0;
    const sorted = values.slice(from, to).toSorted((a, b) => a - b);
    const y = sorted[sorted.length >> 1] ?? 0;
    return {
      name: `median of ${to - from} runs`,
      style: 's-accent dashed',
      points: [
        { x: from, y },
        { x: Math.max(from, to - 1), y },
      ],
    };
  });
}

export function changeText({ before, after }: ChangePoint, format: TrendFigure['format']): string {
  return `from ${format(before)} to ${format(after)}`;
}

function changesTable(figures: readonly TrendFigure[]): Markup | string {
  const rows = figures.flatMap(({ name, changes, points, format }) =>
    changes.map((change) => ({ name, text: changeText(change, format), first: points[change.index]?.entry })),
  );
  if (rows.length === 0) return '';
  return table(
    'Changes of level',
    [
      { head: 'Figure', cell: ({ name }: (typeof rows)[number]) => name },
      { head: 'Change', cell: ({ text }) => text },
      { head: 'First run', cell: ({ first }) => first?.runId ?? '–' },
      { head: 'Labels', cell: ({ first }) => labelsText(first), text: true },
    ],
    rows,
  );
}

function labelsText(entry: HistoryEntry | undefined): string {
  return Object.entries(entry?.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}

function runsTable(entries: readonly HistoryEntry[]): Markup {
  return table(
    'Runs, newest first',
    [
      { head: 'Run', cell: ({ runId }: HistoryEntry) => runId },
      { head: 'Verdict', cell: ({ verdict }) => verdict },
      { head: 'Throughput', cell: ({ figures }) => rate(figures.throughputPerSecond) },
      { head: 'Errors', cell: ({ figures }) => share(figures.errorRate) },
      { head: 'p95', cell: ({ figures }) => ms(figures.latencyMs.p95 ?? null) },
      { head: 'Server', cell: ({ server }) => server ?? '–', text: true },
      { head: 'Labels', cell: labelsText, text: true },
    ],
    entries.toReversed(),
    'history.jsonl',
  );
}
