import { observedSeconds } from '../../../analysis/merge/aggregate.js';
import { trialsOf } from '../../../analysis/statistics/trials.js';
import type { BuildInput } from '../report-section.js';
import { operationsBlock, peaksOf, trafficBlock } from '../shared/traffic.js';
import type { OperationRow, Stage, Trials } from './schema.js';

export function buildStages(input: BuildInput): Stage[] {
  const {
    plan,
    aggregate,
    facts: { startAt },
  } = input;
  return plan.stages.map((stage) => {
    const durationSeconds = observedSeconds(aggregate, [stage.index]);
    return {
      name: stage.name,
      trial: stage.trial,
      measured: stage.measured,
      startedAt:
        startAt === undefined || durationSeconds === 0 ? null : new Date(startAt + stage.startMs).toISOString(),
      startSeconds: stage.startMs / 1000,
      durationSeconds,
      ...trafficBlock(aggregate.select({ stages: [stage.index] }), durationSeconds, peaksOf(input, [stage.index])),
    };
  });
}

export function buildOperations({ plan, aggregate, measured, measuredSeconds }: BuildInput): OperationRow[] {
  return plan.profiles.flatMap((profile) =>
    profile.operations.map(({ name, method }) => ({
      name,
      profile: profile.name,
      method,
      ...operationsBlock(
        aggregate.select({ stages: measured, profile: profile.name, operation: name }),
        measuredSeconds,
      ),
    })),
  );
}

/** @returns undefined for a run of one trial */
export function buildTrials({ plan, aggregate }: BuildInput): Trials | undefined {
  const found = trialsOf(plan, aggregate);
  if (found === undefined) return undefined;
  return {
    values: found.trials.map(({ trial, values }) => ({ trial, metrics: { ...values } })),
    intervals: { ...found.intervals },
  };
}
