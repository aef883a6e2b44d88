import { takesPart } from '../../../../scenarios/schema/offered-load.js';
import type { Plan, ProfilePlan, StagePlan } from '../../../../scenarios/schema/plan.js';
import { type Aggregate, observedSeconds } from '../../../analysis/merge/aggregate.js';
import type { BuildInput } from '../report-section.js';
import { operationsBlock } from '../shared/traffic.js';
import type { Neighbours } from './build.js';

/** Whether well-behaved profiles suffer from misbehaving ones: each in stages without any, and in stages with some. */
export function buildNeighbours({ plan, aggregate }: BuildInput): Neighbours[] {
  return plan.profiles
    .filter((profile) => !misbehaves(profile))
    .flatMap(({ name }): Neighbours[] => {
      const stages = plan.stages.filter((stage) => stage.measured && takesPart(stage, name));
      const alone = stages.filter((stage) => misbehavingProfiles(plan, stage).length === 0);
      const beside = stages.filter((stage) => misbehavingProfiles(plan, stage).length > 0);
      if (alone.length === 0 || beside.length === 0) return [];
      const [quiet, noisy] = [sideOf(aggregate, name, alone), sideOf(aggregate, name, beside)];
      return [
        {
          profile: name,
          neighbours: [...new Set(beside.flatMap((stage) => misbehavingProfiles(plan, stage)))],
          alone: quiet,
          beside: noisy,
          ratio: {
            throughput: ratio(noisy.throughputPerSecond, quiet.throughputPerSecond),
            p50: ratio(noisy.latencyMs.p50, quiet.latencyMs.p50),
            p95: ratio(noisy.latencyMs.p95, quiet.latencyMs.p95),
            p99: ratio(noisy.latencyMs.p99, quiet.latencyMs.p99),
          },
          errorRateDifference:
            noisy.errorRate === null || quiet.errorRate === null ? null : noisy.errorRate - quiet.errorRate,
        },
      ];
    });
}

function misbehaves({ misbehave }: ProfilePlan): boolean {
  return Object.keys(misbehave).length > 0;
}

function misbehavingProfiles(plan: Plan, stage: StagePlan): readonly string[] {
  return plan.profiles
    .filter((profile) => misbehaves(profile) && takesPart(stage, profile.name))
    .map(({ name }) => name);
}

function sideOf(aggregate: Aggregate, profile: string, stages: readonly StagePlan[]): Neighbours['alone'] {
  const indices = stages.map(({ index }) => index);
  return {
    stages: [...new Set(stages.map(({ name }) => name))],
    ...operationsBlock(aggregate.select({ stages: indices, profile }), observedSeconds(aggregate, indices)),
  };
}

function ratio(of: number | null, to: number | null): number | null {
  return of === null || to === null || to === 0 ? null : of / to;
}
