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

/** One line for each second; a cell without data is empty. */
export function renderTimeline({ timeline }: Report): string {
  const rows = timeline.map((second) => columns.map((column) => second[column] ?? ''));
  return [columns, ...rows].map((row) => `${row.join(',')}\n`).join('');
}
