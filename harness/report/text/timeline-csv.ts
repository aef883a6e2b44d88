import type { Report } from '../schema.js';

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
] as const satisfies readonly (keyof Report['timeline'][number])[];

/** One line a second; an empty cell is no data. */
export function renderTimeline({ timeline }: Report): string {
  return `${[columns, ...timeline.map((second) => columns.map((column) => second[column] ?? ''))].map((row) => row.join(',')).join('\n')}\n`;
}
