import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { LatencyBlock, Report } from '../../schema.js';
import { bytes, cores, count, duration, ms, rate, share } from '../../values.js';

type Operations = Pick<
  Report['summary'],
  | 'offered'
  | 'sent'
  | 'succeeded'
  | 'failed'
  | 'byUs'
  | 'dropped'
  | 'lost'
  | 'unsent'
  | 'throughputPerSecond'
  | 'deliveredRatio'
  | 'errorRate'
  | 'latencyMs'
>;

const operationColumns: readonly Column<Operations>[] = [
  { head: 'Offered', cell: ({ offered }) => count(offered) },
  { head: 'Succeeded', cell: ({ succeeded }) => count(succeeded) },
  { head: 'Failed', cell: ({ failed, byUs }) => count(failed - byUs) },
  { head: 'By us', cell: ({ byUs }) => (byUs === 0 ? '–' : count(byUs)) },
  { head: 'Lost', cell: ({ lost }) => count(lost) },
  { head: 'Not sent', cell: ({ dropped, unsent }) => count(dropped + unsent) },
  { head: 'Throughput', cell: ({ throughputPerSecond }) => rate(throughputPerSecond) },
  { head: 'Errors', cell: ({ errorRate }) => share(errorRate) },
  { head: 'p50', cell: ({ latencyMs }) => ms(latencyMs.p50) },
  { head: 'p95', cell: ({ latencyMs }) => ms(latencyMs.p95) },
  { head: 'p99', cell: ({ latencyMs }) => ms(latencyMs.p99) },
  { head: 'Max', cell: ({ latencyMs }) => ms(latencyMs.max) },
];

export function breakdownSection(report: Report): Markup {
  return html`
<h2 id="breakdown">Breakdown</h2>
<div class="stack">
${table<readonly [string, LatencyBlock]>(
  'Times, measured stages',
  [
    { head: 'Time', cell: ([name]) => name },
    ...(['count', 'min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const).map(
      (statistic): Column<readonly [string, LatencyBlock]> => ({
        head: statistic === 'count' ? 'Samples' : statistic === 'p999' ? 'p99.9' : statistic,
        cell: ([, of]) => (statistic === 'count' ? count(of.count) : ms(of[statistic])),
      }),
    ),
  ],
  [
    ['Latency, from due to answer', report.summary.latencyMs],
    ['Service, from send to answer', report.summary.serviceMs],
    ['Lag, from due to send', report.summary.lagMs],
    ['Failed operations, from due to end', report.summary.failureMs],
    ['Connect and handshake', report.summary.connectMs],
  ],
)}
${table<Report['stages'][number]>(
  'Stages',
  [
    { head: 'Stage', cell: ({ name, trial }) => (trials(report) ? `${name} (trial ${trial})` : name) },
    {
      head: '',
      cell: ({ measured }) => (measured ? 'measured' : html`<span class="quiet">not measured</span>`),
      text: true,
    },
    { head: 'Time', cell: ({ durationSeconds }) => duration(durationSeconds) },
    {
      head: 'Sessions, answered of most',
      cell: ({ sessions }) => `${count(sessions.answered)} of ${count(sessions.peak)}`,
    },
    ...operationColumns,
  ],
  report.stages,
)}
${table<Report['profiles'][number]>('Profiles, measured stages', [{ head: 'Profile', cell: ({ name }) => name }, ...operationColumns], report.profiles)}
${table<Report['operations'][number]>(
  'Operations, measured stages',
  [
    { head: 'Operation', cell: ({ name }) => html`<code>${name}</code>` },
    { head: 'Profile', cell: ({ profile }) => profile, text: true },
    ...operationColumns,
  ],
  report.operations,
)}
${trialsTable(report)}
</div>`;
}

function trials({ stages }: Report): boolean {
  return stages.some(({ trial }) => trial > 1);
}

const trialNames: Readonly<Record<string, readonly [name: string, show: (value: number) => string]>> = {
  throughputPerSecond: ['Throughput', rate],
  errorRate: ['Error rate', share],
  latencyP50Ms: ['Latency p50', ms],
  latencyP95Ms: ['Latency p95', ms],
  latencyP99Ms: ['Latency p99', ms],
  serviceP95Ms: ['Service p95', ms],
};
function trialsTable({ trials: block }: Report): Markup | string {
  if (block === undefined) return '';
  type Row = readonly [
    metric: string,
    interval: { readonly median: number; readonly low: number; readonly high: number },
  ];
  const show = (metric: string, value: number | undefined): string =>
    value === undefined ? '–' : (trialNames[metric]?.[1] ?? String)(value);
  return html`${table<Row>(
    'Trials: median and its 95 % interval (bootstrap)',
    [
      { head: 'Metric', cell: ([metric]) => trialNames[metric]?.[0] ?? metric },
      { head: 'Median', cell: ([metric, { median }]) => show(metric, median) },
      { head: '95 % interval', cell: ([metric, { low, high }]) => `${show(metric, low)} to ${show(metric, high)}` },
      ...block.values.map(
        ({ trial, metrics }): Column<Row> => ({
          head: `Trial ${trial}`,
          cell: ([metric]) => show(metric, metrics[metric]),
        }),
      ),
    ],
    Object.entries(block.intervals),
  )}`;
}

export function workersTable({ workers }: Report): Markup {
  type Worker = Report['workers'][number];
  const reading =
    (key: string, show: (value: number) => string): Column<Worker>['cell'] =>
    ({ health }) => {
      const value = health.values[key];
      return value === undefined ? '–' : html`${show(value.mean)} <span class="quiet">/ ${show(value.worst)}</span>`;
    };
  return table<Worker>(
    'Workers: mean / worst of the measured stages',
    [
      { head: 'Worker', cell: ({ id }) => id },
      {
        head: 'Host',
        cell: ({ host, place }) => (place === undefined ? host : `${place.node}, ${place.service}.${place.slot}`),
        text: true,
      },
      { head: 'Clients', cell: ({ slots }) => count(slots) },
      { head: 'Sent', cell: ({ sent }) => count(sent) },
      { head: 'Failed', cell: ({ failed }) => count(failed) },
      { head: 'Loop', cell: reading('eventLoopUtilization', share) },
      { head: 'CPU', cell: reading('cpu', cores) },
      { head: 'Waited for CPU', cell: reading('processorWait', share) },
      { head: 'Lag p99', cell: reading('lagP99Ms', ms) },
      { head: 'Loop delay p99', cell: reading('eventLoopDelayP99Ms', ms) },
      { head: 'Memory', cell: reading('memoryBytes', bytes) },
      {
        head: 'Clock',
        cell: ({ clock }) => (clock === null ? '–' : `${clock.offsetMs.toFixed(2)} ± ${clock.errorMs.toFixed(2)} ms`),
      },
      {
        head: 'End',
        cell: ({ ended, lostAtSeconds }) =>
          lostAtSeconds === null ? (ended ?? '–') : html`<span class="bad">lost at ${duration(lostAtSeconds)}</span>`,
        text: true,
      },
    ],
    workers,
  );
}

export function replicasTable({ replicas }: Report): Markup {
  return replicas.length === 0
    ? html``
    : table<Report['replicas'][number]>(
        'Replicas: mean / peak',
        [
          { head: 'Replica', cell: ({ id }) => id },
          { head: 'Node', cell: ({ node }) => node, text: true },
          ...(replicas.some(({ task }) => task !== undefined)
            ? [{ head: 'Task', cell: ({ task }: ReplicaRow) => task ?? '–', text: true }]
            : []),
          ...(replicas.some(
            ({ cameAtSeconds, goneAtSeconds }) => cameAtSeconds !== undefined || goneAtSeconds !== undefined,
          )
            ? [{ head: 'There', cell: presence, text: true }]
            : []),
          { head: 'Address', cell: ({ url }) => url, text: true },
          { head: 'CPU, cores', cell: ({ cpu }) => (cpu === null ? '–' : `${cores(cpu.mean)} / ${cores(cpu.worst)}`) },
          {
            head: 'Memory',
            cell: ({ memoryBytes }) =>
              memoryBytes === null ? '–' : `${bytes(memoryBytes.mean)} / ${bytes(memoryBytes.worst)}`,
          },
          ...(replicas.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond !== undefined)
            ? networkColumns
            : []),
        ],
        replicas,
      );
}

type ReplicaRow = Report['replicas'][number];
function presence({ cameAtSeconds, goneAtSeconds }: ReplicaRow): string {
  return `${cameAtSeconds === undefined ? 'from the start' : `from ${duration(cameAtSeconds)}`}${goneAtSeconds === undefined ? '' : ` to ${duration(goneAtSeconds)}`}`;
}
function perSecond(value: ReplicaRow['sentBytesPerSecond']): string {
  return value === undefined ? '–' : `${bytes(value.mean)}/s / ${bytes(value.worst)}/s`;
}
const networkColumns: readonly Column<ReplicaRow>[] = [
  { head: 'Received', cell: ({ receivedBytesPerSecond }) => perSecond(receivedBytesPerSecond) },
  { head: 'Sent', cell: ({ sentBytesPerSecond }) => perSecond(sentBytesPerSecond) },
];
