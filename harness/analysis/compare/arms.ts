/** How much each arm of a run differs from the first: by block, because what drifts strikes all arms of a block. */
import type { Plan, ProfilePlan, RulePlan, StagePlan } from '../../../scenarios/schema/plan.js';
import { withoutByUs } from '../facts/target-errors.js';
import type { Aggregate } from '../merge/aggregate.js';
import type { BlockCell } from '../merge/block-store.js';
import { type Effect, effectsOf } from '../statistics/effects.js';
import type { Statistic } from '../statistics/figures.js';
import { FEWEST_TRIALS } from '../statistics/median-interval.js';
import { type BlockData, histogramFigures, histogramOf, type Subject, type Unit } from './figures-of.js';
import { judgeRules, type RuleResult, type Trials } from './sides.js';

export interface ArmsComparison {
  /** The first arm. */
  readonly base: string;
  /** Blocks of all arms that were measured to their end; `planned` of them there should be. */
  readonly blocks: number;
  readonly planned: number;
  readonly overheads: readonly Overhead[];
  readonly rules: readonly ArmRule[];
}

/** What an arm adds to a time of the first one. Milliseconds. */
export interface Overhead {
  readonly arm: string;
  readonly of: 'latency' | 'connect';
  /** Undefined: of all operations. */
  readonly operation: string | undefined;
  readonly statistic: StatisticName;
  readonly base: number;
  readonly changed: number;
  readonly added: Span;
  /** As a share of the base. */
  readonly share: Span;
  /** How often chance alone makes a difference this large. */
  readonly p: number;
  /** Operations of the arm with fewer of them that lie beyond the statistic; with less than 100 it says little. */
  readonly beyond: number;
}

/** With its interval of 95 % over blocks, which is infinite where there are too few blocks. */
export interface Span {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ArmRule extends RuleResult {
  readonly arm: string;
  /** The load generator itself may have made what was found. */
  readonly ownShare: string | undefined;
}

export type StatisticName = keyof typeof statistics;

const statistics = { mean: 'mean', p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const satisfies Record<
  string,
  Statistic
>;
const all = Object.keys(statistics) as readonly StatisticName[];
const few: readonly StatisticName[] = ['p50', 'p95', 'p99'];
/** A plan may have thousands of operations. */
const MOST_OPERATIONS = 12;
const SEED = 1;

/** @returns undefined for a plan without arms, or before any block is over */
export function compareArms(
  plan: Plan,
  aggregate: Pick<Aggregate, 'select' | 'observedMs'>,
  rules: readonly RulePlan[],
): ArmsComparison | undefined {
  const names = plan.arms?.map(({ name }) => name) ?? [];
  const [base, ...others] = names;
  if (base === undefined) return undefined;
  const planned = plan.stages.reduce((most, { block = 0 }) => Math.max(most, block), 0);
  const blocks = completeBlocks(plan, aggregate, planned);
  if (blocks.length === 0) return undefined;
  const unitsOf = (arm: string): readonly Unit[] =>
    blocks.map((block) => turnsOf(plan, arm, block).map((stage) => turnOf(plan, aggregate, stage, arm, block)));
  const sides = new Map(names.map((name) => [name, unitsOf(name)]));
  const baseUnits = sides.get(base) ?? [];
  const subjects = subjectsOf(plan, base);
  return {
    base,
    blocks: blocks.length,
    planned,
    overheads: others.flatMap((arm) =>
      subjects.flatMap((subject) => overheadsOf(arm, baseUnits, sides.get(arm) ?? [], subject)),
    ),
    rules: others.flatMap((arm) => rulesOf(arm, trialsOf(baseUnits), trialsOf(sides.get(arm) ?? []), rules)),
  };
}

function trialsOf(units: readonly Unit[]): Trials {
  return { runs: units.map((blocks) => ({ blocks })) };
}

/** Those in which every turn of every arm was observed to its end. */
function completeBlocks(plan: Plan, aggregate: Pick<Aggregate, 'observedMs'>, planned: number): readonly number[] {
  const observed = (stage: StagePlan): boolean => aggregate.observedMs(stage.index) >= stage.durationMs - 1;
  return Array.from({ length: planned }, (_, at) => at + 1).filter((block) =>
    plan.stages.every((stage) => stage.block !== block || observed(stage)),
  );
}

function turnsOf({ stages }: Plan, arm: string, block: number): readonly StagePlan[] {
  return stages.filter((stage) => stage.arm === arm && stage.block === block);
}

function turnOf(
  plan: Plan,
  aggregate: Pick<Aggregate, 'select' | 'observedMs'>,
  stage: StagePlan,
  arm: string,
  block: number,
): BlockData {
  const profiles = plan.profiles.filter((profile) => profile.arm === arm);
  // Sessions are opened before the turn itself.
  const settling = plan.stages[stage.index - 1];
  const opened = settling?.arm === arm && !settling.measured ? [settling.index, stage.index] : [stage.index];
  return {
    stage: stage.name,
    trial: block,
    seconds: stage.durationMs / 1000,
    cells: profiles.flatMap((profile) =>
      profile.operations.map((operation) => cellOf(aggregate, stage.index, profile, operation.name)),
    ),
    connect: aggregate.select({ stages: opened, profiles: profiles.map(({ name }) => name) }).connect,
  };
}

function cellOf(
  aggregate: Pick<Aggregate, 'select'>,
  stage: number,
  profile: ProfilePlan,
  operation: string,
): BlockCell {
  const { counts, errors, histograms } = aggregate.select({ stages: [stage], profile: profile.name, operation });
  const { latency, service, latencyFloor } = histograms;
  const failed = withoutByUs(errors).reduce((sum, [, times]) => sum + times, counts.lost);
  return {
    profile: profile.name.slice(0, -(profile.arm?.length ?? 0) - 1),
    operation,
    offered: counts.offered,
    sent: counts.sent,
    succeeded: counts.succeeded,
    failed,
    latency,
    service,
    latencyFloor: latencyFloor.total < latency.total ? latency : latencyFloor,
  };
}

interface Looked {
  readonly of: Overhead['of'];
  readonly operation: string | undefined;
  readonly statistics: readonly StatisticName[];
}

function subjectsOf({ profiles }: Plan, base: string): readonly Looked[] {
  const operations = new Set(
    profiles.filter(({ arm }) => arm === base).flatMap((profile) => profile.operations.map(({ name }) => name)),
  );
  return [
    { of: 'latency', operation: undefined, statistics: all },
    ...(operations.size < 2 ? [] : [...operations].slice(0, MOST_OPERATIONS)).map(
      (operation): Looked => ({ of: 'latency', operation, statistics: few }),
    ),
    { of: 'connect', operation: undefined, statistics: ['p50', 'p95'] },
  ];
}

function overheadsOf(
  arm: string,
  base: readonly Unit[],
  changed: readonly Unit[],
  { of, operation, statistics: names }: Looked,
): readonly Overhead[] {
  const subject: Subject = { metric: `${of}.p50`, labels: operation === undefined ? {} : { operation } };
  const wanted = names.map((name) => statistics[name]);
  const figures = [base, changed].map((units) => histogramFigures(units, subject, wanted));
  const [from, to] = figures;
  if (from === undefined || to === undefined) return [];
  const totals = [base, changed].map((units) => histogramOf(units.flat(), subject).total);
  const enough = base.length >= FEWEST_TRIALS;
  const effects = (scale: 'ratio' | 'difference'): readonly (Effect | undefined)[] =>
    effectsOf(
      from,
      to,
      names.map(() => scale),
      { kind: 'paired' },
      SEED,
    );
  const [differences, ratios] = [effects('difference'), effects('ratio')];
  return names.flatMap((statistic, at): Overhead[] => {
    const [difference, ratio, share] = [differences[at], ratios[at], wanted[at]];
    if (difference === undefined || ratio === undefined) return [];
    return [
      {
        arm,
        of,
        operation,
        statistic,
        base: difference.base,
        changed: difference.changed,
        added: spanOf(difference, enough, (value) => value),
        share: spanOf(ratio, enough, Math.expm1),
        // Of the ratios: one block in which the machine stood still weighs less there.
        p: enough ? ratio.p : 1,
        beyond: Math.floor(Math.min(...totals) * (typeof share === 'number' ? 1 - share : 1) + 1e-9),
      },
    ];
  });
}

function spanOf({ effect, low, high }: Effect, enough: boolean, on: (value: number) => number): Span {
  return { value: on(effect), low: enough ? on(low) : -Infinity, high: enough ? on(high) : Infinity };
}

function rulesOf(arm: string, base: Trials, changed: Trials, rules: readonly RulePlan[]): readonly ArmRule[] {
  if (base.runs.length < FEWEST_TRIALS)
    return rules.map((rule) => ({
      arm,
      rule,
      answer: 'inconclusive',
      regressionExcluded: false,
      change: undefined,
      why: `fewer than ${FEWEST_TRIALS} blocks have no interval`,
      power: undefined,
      settledBy: undefined,
      ownShare: undefined,
    }));
  return judgeRules(base, changed, { rules, paired: true, noise: undefined }).map(({ result, ownShare }) => ({
    arm,
    ...result,
    ownShare,
  }));
}
