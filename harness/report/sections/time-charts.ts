import { formatMs, significant } from '../../analysis/format.js';
import { html, type Markup } from '../html/markup.js';
import type { Report } from '../schema.js';
import { emptyFigure } from '../svg/figure.js';
import type { TimeContext } from '../svg/frame.js';
import { lineChart, type Point, type Series } from '../svg/line-chart.js';
import { errorsChart } from './errors/errors-chart.js';
import { heatMapChart } from './latency/heat-map-chart.js';
import { spectrumChart } from './latency/spectrum-chart.js';

type Second = Report['timeline'][number];

export function timeContext(report: Report): TimeContext {
  return contextOf(report, secondsShown(report));
}

/** Without the quiet seconds of the drain, which would look as if the target had stopped. */
function secondsShown({ timeline, stages }: Pick<Report, 'timeline' | 'stages'>): number {
  const planned = stages.reduce(
    (end, { startSeconds, durationSeconds }) => Math.max(end, startSeconds + durationSeconds),
    0,
  );
  const busy = timeline.findLast(({ sent, succeeded, failed, lost }) => sent + succeeded + failed + lost > 0)?.t ?? 0;
  return Math.max(1, Math.ceil(planned - 0.1), busy + 1);
}

function contextOf({ stages, events, faults }: Report, endSeconds: number): TimeContext {
  return {
    endSeconds,
    bands: stages.map(({ name, measured, startSeconds, durationSeconds }) => ({
      name,
      measured,
      from: startSeconds,
      to: startSeconds + durationSeconds,
    })),
    marks: events.flatMap(({ t, text }, at) => (t === null ? [] : [{ x: t, number: at + 1, text }])),
    shades: faults.flatMap(({ id, kind, target, atSeconds, undoneAtSeconds }) =>
      atSeconds === null
        ? []
        : [{ from: atSeconds, to: undoneAtSeconds ?? endSeconds, text: `fault ${id} (${kind}): ${target}` }],
    ),
  };
}

export function loadCharts(report: Report, time: TimeContext): Markup {
  return html`
<h2 id="load">Load</h2>
${lineChart({
  id: 'throughput',
  title: 'Operations a second: offered and delivered',
  time,
  format: significant,
  perSecond: true,
  whole: true,
  caption: html`What was due (dashed) against what was answered correctly. Where they part, the target did not keep up; what is missing waited, was dropped, or failed.`,
  series: [
    { name: 'Succeeded', style: 's-main', area: true, points: over(report, ({ succeeded }) => succeeded) },
    { name: 'Offered', style: 's-plain dashed', points: over(report, ({ offered }) => offered) },
    ...optional('Failed', 's-bad', report, ({ failed }) => failed),
    ...optional('Dropped', 's-accent dotted', report, ({ dropped }) => dropped),
  ],
})}
<div class="pair">
${lineChart({
  id: 'clients',
  title: 'Clients, sessions, connections',
  time,
  format: significant,
  perSecond: true,
  whole: true,
  width: 'half',
  height: 230,
  series: [
    { name: 'Clients', style: 's-main', points: over(report, ({ clients }) => clients) },
    { name: 'Sessions', style: 's-good dashed', points: over(report, ({ sessions }) => sessions) },
    { name: 'Connections', style: 's-plain dotted', points: over(report, ({ connections }) => connections) },
  ],
})}
${lineChart({
  id: 'inflight',
  title: 'In flight, and waiting for room',
  time,
  format: significant,
  perSecond: true,
  whole: true,
  width: 'half',
  height: 230,
  series: [
    { name: 'In flight', style: 's-main', points: over(report, ({ inFlight }) => inFlight) },
    { name: 'Waiting', style: 's-accent dashed', points: over(report, ({ queued }) => queued) },
  ],
})}
</div>`;
}

export function latencyCharts(report: Report, time: TimeContext): Markup {
  return html`
<h2 id="latency">Latency</h2>
${
  report.timeline.every(({ p50Ms }) => p50Ms === null)
    ? emptyFigure(
        'percentiles',
        'Latency percentiles, second by second',
        'No operation succeeded, so there is no latency.',
      )
    : lineChart({
        id: 'percentiles',
        title: 'Latency percentiles, second by second',
        time,
        format: formatMs,
        perSecond: true,
        logarithmic: 'auto',
        caption: html`Of successful operations, counted from when each was due: a stalled target cannot hide in it.`,
        levels: report.thresholds
          .filter(
            ({ check, metric, comparison }) =>
              /^latency\.p\d+$/.test(metric) && comparison.startsWith('<') && !check.includes('{'),
          )
          .map(({ wanted, check }) => ({ y: wanted, text: check })),
        series: [
          { name: 'p99', style: 's-p99', points: over(report, ({ p99Ms }) => p99Ms) },
          { name: 'p95', style: 's-p95 dashed', points: over(report, ({ p95Ms }) => p95Ms) },
          { name: 'p50', style: 's-p50', points: over(report, ({ p50Ms }) => p50Ms) },
        ],
      })
}
${heatMapChart(report, time)}
${spectrumChart(report)}`;
}

export function errorCharts(report: Report, time: TimeContext): Markup {
  return errorsChart(report, time);
}

export function generatorCharts(report: Report, time: TimeContext): Markup {
  return html`
<div class="pair">
${lineChart({
  id: 'lag',
  title: 'Send lag p99',
  time,
  format: formatMs,
  perSecond: true,
  width: 'half',
  height: 200,
  logarithmic: 'auto',
  caption: html`How long after it was due a request was sent, worst worker. It is part of the latency above.`,
  series: [{ name: 'Lag p99', style: 's-main', points: over(report, ({ lagP99Ms }) => lagP99Ms) }],
})}
${lineChart({
  id: 'loop',
  title: 'Event loop in use',
  time,
  perSecond: true,
  format: (value) => `${Math.round(value * 100)} %`,
  width: 'half',
  height: 200,
  atLeast: 1,
  levels: [{ y: 0.9, text: 'limit 90 %' }],
  caption: html`Worst worker. Past the limit the generator is what is measured, and the run is invalid.`,
  series: [
    {
      name: 'Loop utilisation',
      style: 's-main',
      points: over(report, ({ eventLoopUtilization }) => eventLoopUtilization),
    },
  ],
})}
</div>`;
}

const lineStyles = ['s-main', 's-accent dashed', 's-good', 's-other dashed', 's-plain dotted', 's-bad'] as const;
/** A line each: with more of them than styles, the table beside the chart tells them apart. */
const mostPrograms = 80;
/** Round numbers of MiB on the axis, where bytes would be round in the wrong base. */
const bytesPerMiB = 1024 ** 2;

export function resourceCharts({ usage }: Report, time: TimeContext): Markup {
  if (usage.length === 0)
    return html`<p class="empty">No resource use was reported. It is known for targets and workers that this run started itself.</p>`;
  type UsagePoint = Report['usage'][number]['points'][number];
  const series = (of: (point: UsagePoint) => number | undefined): Series[] =>
    usage.slice(0, mostPrograms).map((use, at) => ({
      name: programName(use, usage),
      style: lineStyles[at % lineStyles.length] ?? 's-plain',
      points: use.points.filter(({ t }) => t <= time.endSeconds).map((point) => ({ x: point.t, y: of(point) ?? null })),
    }));
  const network = usage.some(({ points }) =>
    points.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond !== undefined),
  );
  const rate = (value: number): string => `${significant(value)} MiB/s`;
  return html`
<p class="note">${describeSource(usage)}</p>
${usage.length > mostPrograms ? html`<p class="note">The first ${mostPrograms} of ${usage.length} programs; all of them are in report.json.</p>` : ''}
<div class="pair">
${lineChart({ id: 'cpu', title: 'CPU, cores', time, format: significant, width: 'half', height: 230, series: series(({ cpu }) => cpu) })}
${lineChart({ id: 'memory', title: 'Memory', time, format: (value) => `${significant(value)} MiB`, width: 'half', height: 230, series: series(({ memoryBytes }) => memoryBytes / bytesPerMiB) })}
</div>
${
  network
    ? html`<div class="pair">
${lineChart({ id: 'received', title: 'Received', time, format: rate, width: 'half', height: 230, series: series(({ receivedBytesPerSecond }) => inMiB(receivedBytesPerSecond)) })}
${lineChart({ id: 'sent', title: 'Sent', time, format: rate, width: 'half', height: 230, series: series(({ sentBytesPerSecond }) => inMiB(sentBytesPerSecond)) })}
</div>`
    : ''
}`;
}

type Use = Report['usage'][number];

/** The next task in a slot is another program. */
function programName({ id, role, task }: Use, all: readonly Use[]): string {
  return all.some((other) => other.id === id && other.task !== task) && task !== undefined
    ? `${id} (${role}, task ${task.slice(0, 8)})`
    : `${id} (${role})`;
}

function describeSource(usage: readonly Use[]): string {
  const sampled = usage.filter(({ source }) => source === 'samples').map(({ id }) => id);
  if (sampled.length === usage.length) return 'From samples taken while the run was on.';
  return `From what Prometheus scraped (metrics.json)${sampled.length === 0 ? '' : `; of ${sampled.join(', ')}, which is not in it, from samples taken while the run was on`}.`;
}

function inMiB(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / bytesPerMiB;
}

function over({ timeline, stages }: Report, of: (second: Second) => number | null): readonly Point[] {
  return timeline.slice(0, secondsShown({ timeline, stages })).map((second) => ({ x: second.t, y: of(second) }));
}

/** A line that is zero all along is only ink. */
function optional(name: string, style: string, report: Report, of: (second: Second) => number): readonly Series[] {
  return report.timeline.some((second) => of(second) > 0) ? [{ name, style, points: over(report, of) }] : [];
}
