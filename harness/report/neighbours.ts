/**
 * Whether those that behave suffer from those that do not: the same profile with and without a misbehaving one beside
 * it.
 */

import { takesPart } from '../../scenarios/schema/load.js';
import type { Plan, ProfilePlan, StagePlan } from '../../scenarios/schema/plan.js';
import type { Aggregate } from '../analysis/contract.js';
import { operationsBlock } from './blocks.js';
import type { Report } from './schema.js';

type Row = Report['neighbours'][number];
type Side = Row['alone'];

export function neighbourBlock(plan: Plan, aggregate: Aggregate): Report['neighbours'] {
  return plan.profiles
    .filter((profile) => !misbehaves(profile))
    .flatMap(({ name }): Row[] => {
      const stages = plan.stages.filter((stage) => stage.measured && takesPart(stage, name));
      const alone = stages.filter((stage) => offenders(plan, stage).length === 0);
      const beside = stages.filter((stage) => offenders(plan, stage).length > 0);
      if (alone.length === 0 || beside.length === 0) return [];
      const [quiet, noisy] = [sideOf(aggregate, name, alone), sideOf(aggregate, name, beside)];
      return [
        {
          profile: name,
          neighbours: [...new Set(beside.flatMap((stage) => offenders(plan, stage)))],
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

function offenders(plan: Plan, stage: StagePlan): readonly string[] {
  return plan.profiles
    .filter((profile) => misbehaves(profile) && takesPart(stage, profile.name))
    .map(({ name }) => name);
}

function sideOf(aggregate: Aggregate, profile: string, stages: readonly StagePlan[]): Side {
  const indices = stages.map(({ index }) => index);
  const seconds = indices.reduce((sum, stage) => sum + aggregate.observedMs(stage), 0) / 1000;
  return {
    stages: [...new Set(stages.map(({ name }) => name))],
    ...operationsBlock(aggregate.select({ stages: indices, profile }), seconds),
  };
}

function ratio(of: number | null, to: number | null): number | null {
  return of === null || to === null || to === 0 ? null : of / to;
}
