import { formatMs } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart } from '../../svg/line-chart.js';
import { bytes, cores, count, duration, ms, share } from '../../values.js';
import { pointsOf, type TimelineData } from '../load/timeline.js';
import type { ReportSection } from '../report-section.js';
import { buildWorkers } from './build.js';
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
  );
}

function reading(key: string, show: (value: number) => string): Column<Worker>['cell'] {
  return ({ health }) => {
    const value = health.values[key];
    return value === undefined ? '–' : html`${show(value.mean)} <span class="quiet">/ ${show(value.worst)}</span>`;
  };
}
