import type { Report } from '../schema.js';
import { lengthOf } from '../sections/load/timeline.js';

const columns = [
  't',
  'offered',
  'sent',
  'succeeded',
  'failed',
  'dropped',
  'lost',
  'unsent',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'maxMs',
  'clients',
  'sessions',
  'connections',
  'inFlight',
  'queued',
  'lagP99Ms',
  'eventLoopUtilization',
  'seconds',
] as const satisfies readonly (keyof Report['timeline'][number])[];

/**
 * One line for each entry of the timeline: a second or, long ago in a long run, a step of `seconds`. A cell without
 * data is empty. Quantiles that only the scenario asks for are the last columns.
 */
export function renderTimeline({ timeline }: Report): string {
  const others = Object.keys(timeline[0]?.quantilesMs ?? {});
  const rows = timeline.map((second) => [
    ...columns.map((column) => (column === 'seconds' ? lengthOf(second) : (second[column] ?? ''))),
    ...others.map((name) => second.quantilesMs?.[name] ?? ''),
  ]);
  return [[...columns, ...others.map((name) => `${name}Ms`)], ...rows].map((row) => `${row.join(',')}\n`).join('');
}
