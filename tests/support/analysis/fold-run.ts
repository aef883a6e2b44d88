import { RunFold, type RunModel } from '../../../harness/analysis/fold-run.js';
import type { RunEvent, TelemetryLine } from '../../../harness/log/events.js';

/** The model of a run whose log is in memory. */
export function foldRun(events: Iterable<RunEvent>, lines: Iterable<TelemetryLine>): RunModel {
  const fold = new RunFold();
  for (const event of events) fold.event(event);
  for (const line of lines) fold.telemetry(line);
  return fold.model();
}
