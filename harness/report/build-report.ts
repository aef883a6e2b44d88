import { measuredStages } from '../analysis/facts/stages.js';
import type { RunModel } from '../analysis/fold-run.js';
import { observedSeconds } from '../analysis/merge/aggregate.js';
import { buildFrame } from './frame.js';
import type { MeteredUse } from './read-metrics.js';
import { type Report, reportSchema } from './schema.js';
import type { BuildInput } from './sections/report-section.js';
import { sections } from './sections.js';

/** Pure: the same log gives the same report, to the byte. @param metered of `metrics.json`, where the run has one */
export function buildReport(model: RunModel, metered: readonly MeteredUse[] = []): Report {
  const measured = measuredStages(model.plan);
  const measuredSeconds = observedSeconds(model.aggregate, measured);
  const input: BuildInput = { ...model, measured, measuredSeconds, metered };
  const parts: Readonly<Record<string, unknown>> = Object.assign(
    buildFrame(model),
    ...sections.map(({ build }) => build(input)),
  );
  const keys = Object.keys(reportSchema.shape).filter((key) => key in parts);
  return Object.fromEntries(keys.map((key) => [key, parts[key]])) as unknown as Report;
}
