import { quantilesAsked } from '../../../analysis/facts/quantiles.js';
import { significant } from '../../../analysis/format.js';
import { observedSeconds } from '../../../analysis/merge/aggregate.js';
import { trialsOf } from '../../../analysis/statistics/trials.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, MOST_ROWS, table } from '../../html/table.js';
import * as markdown from '../../text/markdown-table.js';
import { beside, count, duration, ms, rate, share } from '../../values.js';
import type { BuildInput, ReportSection, SectionReport } from '../report-section.js';
import { type LatencyBlock, quantileOf, shownQuantiles } from '../shared/fields.js';
import { type Operations, operationsBlock, peaksOf, trafficBlock } from '../shared/traffic.js';
import { ofWholeRun, type SummaryData } from '../summary/section.js';
import type { Profile, ProfilesData } from '../workload/schema.js';
import { type OperationRow, type Stage, schema, type Trials } from './schema.js';

type Reads = SummaryData & ProfilesData;

export const breakdown = {
  id: 'breakdown',
  title: 'Breakdown',
  needsLoad: true,
  schema,
  build: (input) => {
    const trials = buildTrials(input);
    return {
      stages: buildStages(input),
      operations: buildOperations(input),
      ...(trials === undefined ? {} : { trials }),
    };
  },
  html: page,
  markdown: ({ operations }) => (operations.length < 2 ? '' : operationsMarkdown(operations)),
} satisfies ReportSection<typeof schema, Reads>;

/** Of very many, the busiest: a job summary that is too long is not shown at all. */
function operationsMarkdown(operations: readonly OperationRow[]): string {
  const busiest =
    operations.length > MOST_ROWS
      ? operations.toSorted((a, b) => b.offered - a.offered).slice(0, MOST_ROWS)
      : operations;
  const rows = markdown.table(
    ['Operation', 'Profile', 'Succeeded', 'Failed', ...namesOf(busiest)],
    busiest.map(({ name, profile, succeeded, failed, byUs, latencyMs, latencyFloorMs }) => [
      markdown.text(name),
      markdown.text(profile),
      significant(succeeded),
      significant(failed - byUs),
      ...shownQuantiles(latencyMs).map(
        ([quantile, value]) => `${ms(value)}${beside(value, floorOf(latencyFloorMs, quantile))}`,
      ),
    ]),
  );
  if (busiest.length === operations.length) return rows;
  return `${rows}\n\nThe busiest ${MOST_ROWS} of ${operations.length} operations; \`operations.csv\` has all of them.`;
}

function page({ summary, stages, profiles, operations, trials }: SectionReport<typeof schema, Reads>): Markup {
  return html`<div class="stack">
${timesTable(summary)}
${stagesTable(stages)}
${table<Profile>(
  'Profiles, measured stages',
  [{ head: 'Profile', cell: ({ name }) => name }, ...operationColumns(profiles)],
  profiles,
  'profiles.csv',
)}
${table<OperationRow>(
  'Operations, measured stages',
  [
    { head: 'Operation', cell: ({ name }) => html`<code>${name}</code>` },
    { head: 'Profile', cell: ({ profile }) => profile, text: true },
    ...operationColumns(operations),
  ],
  operations,
  'operations.csv',
)}
${trials === undefined ? '' : trialsTable(trials)}
</div>`;
}

/** The quantiles that the rows have. */
function namesOf(rows: readonly Operations[]): readonly string[] {
  return rows[0] === undefined ? [] : shownQuantiles(rows[0].latencyMs).map(([name]) => name);
}

function floorOf(floor: LatencyBlock | undefined, name: string): number | null | undefined {
  return floor === undefined ? undefined : quantileOf(floor, name);
}

function operationColumns(rows: readonly Operations[]): readonly Column<Operations>[] {
  return [...countColumns, ...latencyColumns(namesOf(rows))];
}

const countColumns: readonly Column<Operations>[] = [
  { head: 'Offered', cell: ({ offered }) => count(offered) },
  { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
  { head: 'Failed', cell: ({ failed, byUs }) => count(failed - byUs) },
  { head: 'Caused by us', cell: ({ byUs }) => (byUs === 0 ? '–' : count(byUs)) },
  { head: 'Lost', cell: ({ lost }) => count(lost) },
  { head: 'Not sent', cell: ({ dropped, unsent }) => count(dropped + unsent) },
  { head: 'Throughput', cell: ({ throughputPerSecond }) => rate(throughputPerSecond) },
  { head: 'Errors', cell: ({ errorRate }) => share(errorRate) },
];

function latencyColumns(names: readonly string[]): readonly Column<Operations>[] {
  const cell = (value: number | null, floor: number | null | undefined): Markup =>
    html`${ms(value)}<span class="quiet">${beside(value, floor)}</span>`;
  return [
    ...names.map(
      (name): Column<Operations> => ({
        head: name,
        cell: ({ latencyMs, latencyFloorMs }) => cell(quantileOf(latencyMs, name), floorOf(latencyFloorMs, name)),
      }),
    ),
    { head: 'Max', cell: ({ latencyMs, latencyFloorMs }) => cell(latencyMs.max, latencyFloorMs?.max) },
  ];
}

type NamedTimes = readonly [name: string, times: LatencyBlock];

function timesTable(summary: SummaryData['summary']): Markup {
  const { latencyMs, latencyFloorMs, serviceMs, serviceFloorMs, lagMs, failureMs, connectMs, wholeRun } = summary;
  const statistics = ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const;
  return table<NamedTimes>(
    'Times, measured stages',
    [
      { head: 'Time', cell: ([name]) => name },
      { head: 'Samples', cell: ([, times]) => count(times.count) },
      ...statistics.map(
        (statistic): Column<NamedTimes> => ({
          head: statistic === 'p999' ? 'p99.9' : statistic,
          cell: ([, times]) => ms(times[statistic]),
        }),
      ),
      ...othersOf(latencyMs).map(
        (name): Column<NamedTimes> => ({
          head: name,
          cell: ([, times]) => ms(quantileOf(times, name)),
        }),
      ),
    ],
    [
      ['Latency, from due to answer', latencyMs],
      ...(latencyFloorMs === undefined ? [] : [['– without the generator', latencyFloorMs] as const]),
      ['Service, from send to answer', serviceMs],
      ...(serviceFloorMs === undefined ? [] : [['– without the generator', serviceFloorMs] as const]),
      ['Lag, from due to send', lagMs],
      ['Failed operations, from due to end', failureMs],
      [`Connect and handshake${ofWholeRun}`, wholeRun?.connectMs ?? connectMs],
    ],
  );
}

/** Asked for by the scenario, and in no other column. */
function othersOf({ quantiles = {} }: LatencyBlock): readonly string[] {
  return Object.keys(quantiles).filter((name) => !['p50', 'p90', 'p95', 'p99', 'p99.9'].includes(name));
}

function stagesTable(stages: readonly Stage[]): Markup {
  const severalTrials = stages.some(({ trial }) => trial > 1);
  return table<Stage>(
    'Stages',
    [
      { head: 'Stage', cell: ({ name, trial }) => (severalTrials ? `${name} (trial ${trial})` : name) },
      {
        head: 'Measured',
        cell: ({ measured }) => (measured ? 'yes' : html`<span class="quiet">no</span>`),
        text: true,
      },
      { head: 'Duration', cell: ({ durationSeconds }) => duration(durationSeconds) },
      {
        head: 'Sessions answered, of peak',
        cell: ({ sessions }) => `${count(sessions.answered)} of ${count(sessions.peak)}`,
      },
      ...operationColumns(stages),
    ],
    stages,
    'stages.csv',
  );
}

type MetricInterval = readonly [metric: string, interval: Trials['intervals'][string]];

const trialMetrics: Readonly<Record<string, readonly [name: string, show: (value: number) => string]>> = {
  throughputPerSecond: ['Throughput', rate],
  errorRate: ['Error rate', share],
  latencyP50Ms: ['Latency p50', ms],
  latencyP95Ms: ['Latency p95', ms],
  latencyP99Ms: ['Latency p99', ms],
  serviceP95Ms: ['Service p95', ms],
};

function trialsTable({ values, intervals }: Trials): Markup {
  return html`${table<MetricInterval>(
    'Trials, and their median',
    [
      { head: 'Metric', cell: ([metric]) => trialMetrics[metric]?.[0] ?? metric },
      { head: 'Median', cell: ([metric, { median }]) => showMetric(metric, median) },
      { head: 'Where the median lies', cell: ([metric, interval]) => extent(metric, interval) },
      ...values.map(
        ({ trial, metrics }): Column<MetricInterval> => ({
          head: `Trial ${trial}`,
          cell: ([metric]) => showMetric(metric, metrics[metric]),
        }),
      ),
    ],
    Object.entries(intervals),
  )}
<p class="note">Trials of one run share one start of the target. Another start may differ by more.</p>`;
}

/** An interval of 95 % needs six trials; fewer have a range, which holds the true median less often. */
function extent(metric: string, { low, high, kind, coverage, trials }: MetricInterval[1]): string {
  if (trials < 2) return 'unknown: one trial';
  const span = `${showMetric(metric, low)} to ${showMetric(metric, high)}`;
  return kind === 'interval'
    ? `${span} (95 % interval)`
    : `${span} (range of ${trials} trials: right ${Math.round(coverage * 100)} times in 100)`;
}

function showMetric(metric: string, value: number | undefined): string {
  return value === undefined ? '–' : (trialMetrics[metric]?.[1] ?? String)(value);
}

function buildStages(input: BuildInput): Stage[] {
  const {
    plan,
    aggregate,
    facts: { startAt },
  } = input;
  return plan.stages.map((stage) => {
    const durationSeconds = observedSeconds(aggregate, [stage.index]);
    return {
      name: stage.name,
      trial: stage.trial,
      measured: stage.measured,
      startedAt:
        startAt === undefined || durationSeconds === 0 ? null : new Date(startAt + stage.startMs).toISOString(),
      startSeconds: stage.startMs / 1000,
      durationSeconds,
      ...trafficBlock(
        aggregate.select({ stages: [stage.index] }),
        durationSeconds,
        peaksOf(input, [stage.index]),
        quantilesAsked(input.plan),
      ),
    };
  });
}

function buildOperations({ plan, aggregate, measured, measuredSeconds }: BuildInput): OperationRow[] {
  return plan.profiles.flatMap((profile) =>
    profile.operations.map(({ name, method }) => ({
      name,
      profile: profile.name,
      method,
      ...operationsBlock(
        aggregate.select({ stages: measured, profile: profile.name, operation: name }),
        measuredSeconds,
        quantilesAsked(plan),
      ),
    })),
  );
}

/** @returns undefined for a run of one trial */
function buildTrials({ plan, aggregate }: BuildInput): Trials | undefined {
  const found = trialsOf(plan, aggregate);
  if (found === undefined) return undefined;
  return {
    values: found.trials.map(({ trial, values }) => ({ trial, metrics: { ...values } })),
    intervals: { ...found.intervals },
  };
}
