import { cellList } from '../../../../client-sim/protocol/histogram-codec.js';
import { addOperations, noOperations } from '../../../analysis/facts/counts.js';
import {
  type HealthCounters,
  type HealthKey,
  mergeHealth,
  readingOf,
} from '../../../analysis/facts/health-counters.js';
import { clientsOf } from '../../../analysis/facts/run-facts.js';
import type { WorkerCounters } from '../../../analysis/facts/worker-counters.js';
import { formatMs } from '../../../analysis/format.js';
import { measuredHealth } from '../../../analysis/judge/generator-health.js';
import { ownTimeOf } from '../../../analysis/judge/own-share.js';
import { HdrCounts } from '../../../analysis/merge/hdr-counts.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart } from '../../svg/line-chart.js';
import { bytes, cores, count, duration, ms, share } from '../../values.js';
import { pointsOf, type TimelineData } from '../load/timeline.js';
import type { BuildInput, ReportSection } from '../report-section.js';
import { schema, type Worker } from './schema.js';

/** Whether the workers kept up; if not, the run is invalid. */
export const generator = {
  id: 'generator',
  title: 'Generator',
  needsLoad: true,
  schema,
  build: (input) => ({ workers: buildWorkers(input) }),
  html: ({ timeline, workers }, time) => html`
${charts(timeline, time)}
${workersTable(workers)}`,
} satisfies ReportSection<typeof schema, TimelineData>;

function charts(timeline: TimelineData['timeline'], time: TimeContext): Markup {
  const half = { time, perSecond: true, width: 'half', height: 200 } as const;
  return html`
<div class="pair">
${lineChart({
  id: 'lag',
  title: 'Send lag p99',
  ...half,
  format: formatMs,
  logarithmic: 'auto',
  caption: 'Time from when a request was due until it was sent, worst worker. It is part of the latency above.',
  series: [{ name: 'Lag p99', style: 's-main', points: pointsOf(timeline, time, ({ lagP99Ms }) => lagP99Ms) }],
})}
${lineChart({
  id: 'loop',
  title: 'Event loop utilisation',
  ...half,
  format: (value) => `${Math.round(value * 100)} %`,
  atLeast: 1,
  levels: [{ y: 0.9, text: 'limit 90 %' }],
  caption: 'Worst worker. Beyond the limit the run measures the generator, and is invalid.',
  series: [
    {
      name: 'Utilisation',
      style: 's-main',
      points: pointsOf(timeline, time, ({ eventLoopUtilization }) => eventLoopUtilization),
    },
  ],
})}
</div>`;
}

function workersTable(workers: readonly Worker[]): Markup {
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
      { head: 'Event loop', cell: reading('eventLoopUtilization', share) },
      { head: 'CPU', cell: reading('cpu', cores) },
      { head: 'Waited for CPU', cell: reading('processorWait', share) },
      { head: 'Lag p99', cell: reading('lagP99Ms', ms) },
      {
        head: 'Added to a latency: mean / longest',
        cell: ({ own }) =>
          own === undefined ? '–' : html`${ms(own.meanMs)} <span class="quiet">/ ${ms(own.longestMs)}</span>`,
      },
      {
        head: 'Gaps p50, p99, max: planned / sent',
        cell: ({ own }) =>
          own?.gapsMs === undefined
            ? '–'
            : html`${gapsText(own.gapsMs.planned)} <span class="quiet">/ ${gapsText(own.gapsMs.sent)}</span>`,
      },
      { head: 'Loop delay p99', cell: reading('eventLoopDelayP99Ms', ms) },
      { head: 'Memory', cell: reading('memoryBytes', bytes) },
      {
        head: 'Clock offset',
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
    'workers.csv',
  );
}

function gapsText({ p50, p99, max }: { p50: number; p99: number; max: number }): string {
  return [p50, p99, max].map(ms).join(', ');
}

function reading(key: string, show: (value: number) => string): Column<Worker>['cell'] {
  return ({ health }) => {
    const value = health.values[key];
    return value === undefined ? '–' : html`${show(value.mean)} <span class="quiet">/ ${show(value.worst)}</span>`;
  };
}

/** Every worker that the log or its telemetry names. */
function buildWorkers({ plan, facts, aggregate }: BuildInput): Worker[] {
  const ids = new Set([...facts.workers.keys(), ...aggregate.workers().keys()]);
  return [...ids].sort().map((id): Worker => {
    const counters = aggregate.workers().get(id);
    const worker = facts.workers.get(id);
    const counts = noOperations();
    for (const stage of counters?.byStage.values() ?? []) addOperations(counts, stage.counts);
    const { offered, sent, succeeded, failed } = counts;
    const clock = worker?.clock;
    return {
      id,
      host: worker?.worker?.host ?? '',
      ...(worker?.place === undefined ? {} : { place: { ...worker.place } }),
      pid: worker?.worker?.pid ?? 0,
      threads: worker?.worker?.threads ?? 0,
      slots: clientsOf(worker?.slots ?? []),
      offered,
      sent,
      succeeded,
      failed,
      lostAtSeconds: worker?.lostAtMs === undefined ? null : worker.lostAtMs / 1000,
      ended: worker?.finished?.reason ?? counters?.final?.reason ?? null,
      batches: counters?.sequences.highest ?? 0,
      health: healthOf(counters === undefined ? [] : measuredHealth(plan, counters)),
      ...ownOf(plan, counters),
      clock: clock === undefined ? null : { offsetMs: clock.offsetMs, errorMs: clock.errorMs },
    };
  });
}

/** What the worker added to the times it measured, where that is known. */
function ownOf(plan: BuildInput['plan'], counters: WorkerCounters | undefined): Pick<Worker, 'own'> {
  if (counters === undefined) return {};
  const own = ownTimeOf(plan, counters);
  if (own.elapsedMs === 0 || own.operations === 0) return {};
  const { latencySumMs, floorSumMs, operations, longestMs, waitedMs, stoppedMs, sent, moved, plannedGaps, sentGaps } =
    own;
  return {
    own: {
      meanMs: (latencySumMs - floorSumMs) / operations,
      longestMs,
      waitedMs,
      stoppedMs,
      movedShare: sent === 0 ? 0 : moved / sent,
      ...(sentGaps.size === 0 ? {} : { gapsMs: { planned: gapsOf(plannedGaps), sent: gapsOf(sentGaps) } }),
    },
  };
}

function gapsOf(cells: ReadonlyMap<number, number>): { p50: number; p99: number; max: number } {
  const counts = new HdrCounts().addCells(cellList(cells));
  const { p50, p99, max } = summarise(counts);
  return { p50: p50 ?? 0, p99: p99 ?? 0, max: max ?? 0 };
}

const healthKeys = [
  'cpu',
  'memoryBytes',
  'eventLoopUtilization',
  'processorWait',
  'eventLoopDelayP99Ms',
  'lagP99Ms',
  'throttledRatio',
  'openFilesShare',
  'localPortsShare',
] as const satisfies readonly HealthKey[];

function healthOf(all: readonly HealthCounters[]): Worker['health'] {
  const health = mergeHealth(all);
  return {
    reports: health.reports,
    saturated: health.saturated,
    values: Object.fromEntries(
      healthKeys.flatMap((key) => {
        const reading = readingOf(health, key);
        return reading === undefined ? [] : [[key, { ...reading }]];
      }),
    ),
  };
}
