import { formatMs } from '../../../analysis/format.js';
import { decodeCounts, encodeCounts, toHistogram } from '../../../analysis/merge/hdr-counts.js';
import { html, type Markup } from '../../html/markup.js';
import { emptyFigure } from '../../svg/figure.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart } from '../../svg/line-chart.js';
import { type Curve, spectrumChart } from '../../svg/spectrum.js';
import { pointsOf, type TimelineData } from '../load/timeline.js';
import type { BuildInput, ReportSection } from '../report-section.js';
import { shownQuantiles } from '../shared/fields.js';
import type { SummaryData } from '../summary/section.js';
import type { ThresholdsData } from '../thresholds/section.js';
import { heatMapChart } from './heat-map-chart.js';
import { type LatencyData, schema } from './schema.js';

type Reads = TimelineData & ThresholdsData & SummaryData;

export const latency = {
  id: 'latency',
  title: 'Latency',
  needsLoad: true,
  schema,
  build: (input) => ({ heatMap: heatMap(input), histograms: histograms(input) }),
  html: (report, time) => html`
${percentilesChart(report, time)}
${heatMapChart(report.heatMap, time)}
${spectrum(report.histograms)}`,
} satisfies ReportSection<typeof schema, Reads>;

function heatMap({ aggregate }: BuildInput): LatencyData['heatMap'] {
  const { columns, ...grid } = aggregate.heatMap();
  return { ...grid, columns: columns.map((column) => [...column]) };
}

function histograms({ plan, aggregate, measured }: BuildInput): LatencyData['histograms'] {
  const whole = aggregate.select({ stages: measured });
  const { latency: fromDue, service, lag, failure, latencyFloor, serviceFloor } = whole.histograms;
  const named = [
    ['latency', fromDue],
    ['service', service],
    ['latencyFloor', latencyFloor],
    ['serviceFloor', serviceFloor],
    ['lag', lag],
    ['failure', failure],
    ['connect', whole.connect],
    ['delivery', whole.delivery],
    ['catchUp', whole.catchUp],
    ...plan.stages.map(
      ({ index }) => [`stage/${index}/latency`, aggregate.select({ stages: [index] }).histograms.latency] as const,
    ),
    ...plan.profiles.flatMap((profile) =>
      profile.operations.map(
        (operation) =>
          [
            `operation/${profile.name}/${operation.name}/latency`,
            aggregate.select({ stages: measured, profile: profile.name, operation: operation.name }).histograms.latency,
          ] as const,
      ),
    ),
  ] as const;
  return Object.fromEntries(
    named.flatMap(([name, counts]) => {
      const encoded = encodeCounts(counts);
      return encoded === undefined ? [] : [[name, encoded]];
    }),
  );
}

const title = 'Latency percentiles, second by second';

function percentilesChart({ timeline, thresholds, summary }: Reads, time: TimeContext): Markup {
  if (timeline.every(({ p50Ms }) => p50Ms === null))
    return emptyFigure('percentiles', title, 'No operation succeeded, so there is no latency.');
  return lineChart({
    id: 'percentiles',
    title,
    time,
    format: formatMs,
    perSecond: true,
    logarithmic: 'auto',
    caption: 'Successful operations, each from when it was due, so that a stalled target cannot hide.',
    levels: thresholds
      .filter(
        ({ check, metric, comparison }) =>
          /^latency\.p\d+$/.test(metric) && comparison.startsWith('<') && !check.includes('{'),
      )
      .map(({ wanted, check }) => ({ y: wanted, text: check })),
    series: shownQuantiles(summary.latencyMs)
      .map(([name], at) => ({
        name,
        style: quantileStyles[name] ?? otherStyles[at % otherStyles.length] ?? 's-plain',
        points: pointsOf(timeline, time, timelineValue(name)),
      }))
      .toReversed(),
  });
}

const quantileStyles: Readonly<Record<string, string>> = { p50: 's-p50', p95: 's-p95 dashed', p99: 's-p99' };
const otherStyles = ['s-accent', 's-other dashed', 's-good', 's-bad dashed', 's-plain'];

/** The timeline has three quantiles of its own, and what the scenario asks for beside them. */
function timelineValue(name: string): (second: TimelineData['timeline'][number]) => number | null {
  switch (name) {
    case 'p50':
      return ({ p50Ms }) => p50Ms;
    case 'p95':
      return ({ p95Ms }) => p95Ms;
    case 'p99':
      return ({ p99Ms }) => p99Ms;
    default:
      return ({ quantilesMs }) => quantilesMs?.[name] ?? null;
  }
}

function spectrum(histograms: LatencyData['histograms']): Markup {
  const title = 'Percentile spectrum';
  const all = [
    ['latency', 'Latency, from due time', 's-p99'],
    ['latencyFloor', 'Latency without the generator', 's-good'],
    ['service', 'Service time, from sending', 's-accent dashed'],
  ].flatMap(([key = '', name = '', style = '']): (Curve & { readonly key: string })[] => {
    const encoded = histograms[key];
    return encoded === undefined ? [] : [{ key, name, style, histogram: toHistogram(decodeCounts(encoded)) }];
  });
  const measured = all.find(({ key }) => key === 'latency')?.histogram.totalCount;
  // Where it is not known of all operations, the two would not be of the same ones.
  const curves = all.filter(({ key, histogram }) => key !== 'latencyFloor' || histogram.totalCount === measured);
  if (curves.length === 0) return emptyFigure('spectrum', title, 'No operation succeeded in a measured stage.');
  return spectrumChart({
    id: 'spectrum',
    title,
    curves,
    caption:
      'Measured stages. Where latency and service time part, requests waited before they were sent; a tool that ' +
      'times only the answer would not see that. The truth lies between the latency and what it is without the ' +
      'generator.',
  });
}
