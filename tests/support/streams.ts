import { type StreamCounts, streamCounts } from '../../client-sim/protocol/streams.js';
import type { RunFiles, TelemetryView } from './run-files.js';

/** Sums over all workers, stages and batches, of one profile or of all. */
export function streamTotals(telemetry: readonly TelemetryView[], profile?: string): StreamCounts {
  const names = Object.keys(streamCounts.shape) as (keyof StreamCounts)[];
  const totals = Object.fromEntries(names.map((name) => [name, 0])) as StreamCounts;
  for (const session of telemetry.flatMap(({ batch }) => batch.sessions)) {
    if (profile !== undefined && session.profile !== profile) continue;
    for (const name of names) totals[name] += session.streams?.[name] ?? 0;
  }
  return totals;
}

/** `streams` of report.json. */
export function streamsOf({ report }: RunFiles) {
  const { streams } = report;
  if (streams === undefined) throw new Error('the report says nothing of streams');
  return streams;
}
