import { significant } from '../../../analysis/format.js';
import { html, type Markup } from '../../html/markup.js';
import { type Column, table } from '../../html/table.js';
import type { TimeContext } from '../../svg/frame.js';
import { lineChart, type Series } from '../../svg/line-chart.js';
import { bytes, cores, duration } from '../../values.js';
import type { StagesData } from '../breakdown/schema.js';
import type { ReportSection } from '../report-section.js';
import { buildReplicas, buildUsage } from './build.js';
import { type Replica, schema, type Usage, type UsagePoint } from './schema.js';
import { buildSessionMemory, sessionMemoryMarkdown, sessionMemoryTable } from './session-memory.js';

export const resources = {
  id: 'resources',
  title: 'Resources',
  needsLoad: true,
  schema,
  build: (input) => {
    const usage = buildUsage(input);
    return { memory: buildSessionMemory(input), replicas: buildReplicas(input, usage), usage };
  },
  html: ({ usage, replicas, memory, stages }, time) => html`
${usage.length === 0 ? noUsage : usageCharts(usage, time)}
${replicas.length === 0 ? '' : replicasTable(replicas)}
${memory.length === 0 ? '' : sessionMemoryTable(memory, stages)}`,
  markdown: ({ memory }) => (memory.length === 0 ? '' : sessionMemoryMarkdown(memory)),
} satisfies ReportSection<typeof schema, StagesData>;

const noUsage = html`<p class="empty">No resource use was reported.
It is known only for targets and workers that this run started itself.</p>`;

const lineStyles = ['s-main', 's-accent dashed', 's-good', 's-other dashed', 's-plain dotted', 's-bad'] as const;
/** Each has a line; with more of them than styles, the table beside the chart separates them. */
const mostPrograms = 80;
/** The axis has round numbers of MiB; bytes would be round in the wrong base. */
const bytesPerMiB = 1024 ** 2;

function usageCharts(usage: readonly Usage[], time: TimeContext): Markup {
  const series = (of: (point: UsagePoint) => number | undefined): Series[] =>
    usage.slice(0, mostPrograms).map((use, at) => ({
      name: programName(use, usage),
      style: lineStyles[at % lineStyles.length] ?? 's-plain',
      points: use.points.filter(({ t }) => t <= time.endSeconds).map((point) => ({ x: point.t, y: of(point) ?? null })),
    }));
  const inMiB = (of: (point: UsagePoint) => number | undefined): Series[] =>
    series((point) => {
      const value = of(point);
      return value === undefined ? undefined : value / bytesPerMiB;
    });
  const half = { time, width: 'half', height: 230 } as const;
  const network = usage.some(({ points }) =>
    points.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond !== undefined),
  );
  const cut =
    usage.length > mostPrograms
      ? html`<p class="note">The first ${mostPrograms} of ${usage.length} programs; all of them are in report.json.</p>`
      : '';
  return html`<p class="note">${sourceText(usage)}</p>
${cut}
<div class="pair">
${lineChart({ id: 'cpu', title: 'CPU, cores', ...half, format: significant, series: series(({ cpu }) => cpu) })}
${lineChart({
  id: 'memory',
  title: 'Memory',
  ...half,
  format: (value) => `${significant(value)} MiB`,
  series: inMiB(({ memoryBytes }) => memoryBytes),
})}
</div>
${
  network
    ? html`<div class="pair">
${lineChart({
  id: 'received',
  title: 'Received',
  ...half,
  format: mebibytesPerSecond,
  series: inMiB(({ receivedBytesPerSecond }) => receivedBytesPerSecond),
})}
${lineChart({
  id: 'sent',
  title: 'Sent',
  ...half,
  format: mebibytesPerSecond,
  series: inMiB(({ sentBytesPerSecond }) => sentBytesPerSecond),
})}
</div>`
    : ''
}`;
}

function mebibytesPerSecond(value: number): string {
  return `${significant(value)} MiB/s`;
}

/** Names the task, too, where a slot had several. */
function programName({ id, role, task }: Usage, all: readonly Usage[]): string {
  return all.some((other) => other.id === id && other.task !== task) && task !== undefined
    ? `${id} (${role}, task ${task.slice(0, 8)})`
    : `${id} (${role})`;
}

function sourceText(usage: readonly Usage[]): string {
  const sampled = usage.filter(({ source }) => source === 'samples').map(({ id }) => id);
  if (sampled.length === usage.length) return 'Sampled during the run.';
  const others = sampled.length === 0 ? '' : `; ${sampled.join(', ')} sampled during the run`;
  return `Scraped by Prometheus (metrics.json)${others}.`;
}

function replicasTable(replicas: readonly Replica[]): Markup {
  const tasks = replicas.some(({ task }) => task !== undefined);
  const changes = replicas.some(
    ({ cameAtSeconds, goneAtSeconds }) => cameAtSeconds !== undefined || goneAtSeconds !== undefined,
  );
  const network = replicas.some(({ receivedBytesPerSecond }) => receivedBytesPerSecond !== undefined);
  return table<Replica>(
    'Replicas: mean / peak',
    [
      { head: 'Replica', cell: ({ id }) => id },
      { head: 'Node', cell: ({ node }) => node, text: true },
      ...(tasks ? [taskColumn] : []),
      ...(changes ? [presenceColumn] : []),
      { head: 'Address', cell: ({ url }) => url, text: true },
      { head: 'CPU, cores', cell: ({ cpu }) => (cpu === null ? '–' : `${cores(cpu.mean)} / ${cores(cpu.worst)}`) },
      {
        head: 'Memory',
        cell: ({ memoryBytes: memory }) => (memory === null ? '–' : `${bytes(memory.mean)} / ${bytes(memory.worst)}`),
      },
      ...(network ? networkColumns : []),
    ],
    replicas,
    'replicas.csv',
  );
}

const taskColumn: Column<Replica> = { head: 'Task', cell: ({ task }) => task ?? '–', text: true };
const presenceColumn: Column<Replica> = { head: 'Present', cell: presence, text: true };
const networkColumns: readonly Column<Replica>[] = [
  { head: 'Received', cell: ({ receivedBytesPerSecond }) => perSecond(receivedBytesPerSecond) },
  { head: 'Sent', cell: ({ sentBytesPerSecond }) => perSecond(sentBytesPerSecond) },
];

function presence({ cameAtSeconds, goneAtSeconds }: Replica): string {
  const from = cameAtSeconds === undefined ? 'from the start' : `from ${duration(cameAtSeconds)}`;
  return goneAtSeconds === undefined ? from : `${from} to ${duration(goneAtSeconds)}`;
}

function perSecond(value: Replica['sentBytesPerSecond']): string {
  return value === undefined ? '–' : `${bytes(value.mean)}/s / ${bytes(value.worst)}/s`;
}
