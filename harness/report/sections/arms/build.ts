import type { ProfilePlan, TargetPlan } from '../../../../scenarios/schema/plan.js';
import { type ArmRule, compareArms, type Overhead, type Span } from '../../../analysis/compare/arms.js';
import { defaultRules } from '../../../analysis/compare/sides.js';
import { targetErrors } from '../../../analysis/facts/target-errors.js';
import { significant } from '../../../analysis/format.js';
import { observedSeconds } from '../../../analysis/merge/aggregate.js';
import { encodeCounts } from '../../../analysis/merge/hdr-counts.js';
import { summarise } from '../../../analysis/statistics/latency-summary.js';
import type { BuildInput } from '../report-section.js';
import type { ArmsData, OverheadRow } from './schema.js';

/** @returns undefined without arms, or where none had its turn */
export function buildArms(input: BuildInput): ArmsData | undefined {
  const { plan, aggregate } = input;
  const rules = plan.compare ?? defaultRules;
  const found = compareArms(plan, aggregate, rules);
  if (plan.arms === undefined || found === undefined) return undefined;
  return {
    base: found.base,
    blocks: { planned: found.planned, complete: found.blocks },
    arms: plan.arms.map(({ name, target }) => armOf(input, name, target)),
    overheads: found.overheads.map(overheadRow),
    rules: found.rules.map(ruleRow),
    defaultRules: plan.compare === undefined,
  };
}

function armOf({ plan, aggregate, facts }: BuildInput, name: string, target: TargetPlan): ArmsData['arms'][number] {
  const profiles = plan.profiles.filter((profile) => profile.arm === name);
  const names = profiles.map((profile) => profile.name);
  const turns = plan.stages.filter((stage) => stage.arm === name);
  const measured = turns.filter((stage) => stage.measured).map(({ index }) => index);
  const { counts, errors, histograms } = aggregate.select({ stages: measured, profiles: names });
  // Sessions are opened before what is measured.
  const { connect } = aggregate.select({ stages: turns.map(({ index }) => index), profiles: names });
  const { ended, failed } = targetErrors(counts, errors);
  const seconds = observedSeconds(aggregate, measured);
  const histogram = encodeCounts(histograms.latency);
  return {
    name,
    target: targetText(target, facts.arms?.[name]),
    era: eraOf(facts.preflight, names),
    transports: [...new Set(profiles.map(({ transport }) => transport))],
    succeeded: counts.succeeded,
    failed,
    errorRate: ended === 0 ? null : failed / ended,
    throughputPerSecond: seconds === 0 ? null : counts.succeeded / seconds,
    latencyMs: summarise(histograms.latency),
    connectMs: summarise(connect),
    ...(histogram === undefined ? {} : { histogram }),
  };
}

/** @param urls where its clients went; undefined in a log that does not say so */
function targetText(target: TargetPlan, urls: readonly string[] = []): string {
  switch (target.kind) {
    case 'url':
      return target.urls.join(', ');
    case 'command':
      return target.server.command.join(' ');
    case 'image':
      return `${target.image}, ${replicasText(target.replicas)}`;
    case 'reference':
    case 'sink':
      return [`${target.kind}, ${replicasText(target.replicas)}`, ...urls].join(' ');
  }
}

function replicasText(replicas: number): string {
  return replicas === 1 ? '1 replica' : `${replicas} replicas`;
}

function eraOf(preflight: BuildInput['facts']['preflight'], names: readonly ProfilePlan['name'][]): string | null {
  if (preflight.kind !== 'passed') return null;
  const { routes, pinned } = preflight;
  return (routes?.find(({ profiles }) => profiles.some((name) => names.includes(name)))?.pinned ?? pinned).era;
}

function overheadRow({ arm, of, operation, statistic, base, changed, added, share, p, beyond }: Overhead): OverheadRow {
  return {
    arm,
    of,
    operation: operation ?? null,
    statistic,
    baseMs: base,
    armMs: changed,
    addedMs: spanRow(added),
    addedShare: spanRow(share),
    p,
    beyond,
  };
}

function spanRow({ value, low, high }: Span): OverheadRow['addedMs'] {
  return { value, low: finite(low), high: finite(high) };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function ruleRow(result: ArmRule): ArmsData['rules'][number] {
  const { arm, rule, answer, regressionExcluded, change } = result;
  return {
    arm,
    rule: rule.text,
    metric: rule.metric,
    answer,
    regressionExcluded,
    base: change?.base ?? null,
    changed: change?.changed ?? null,
    remarks: [...remarks(result)],
  };
}

/** What stands beside the answer: why it is open, what would settle it, what could be found. */
function remarks({ answer, why, power, settledBy, regressionExcluded, change, ownShare }: ArmRule): readonly string[] {
  const all: string[] = [];
  if (why !== undefined) all.push(why);
  if (answer === 'inconclusive' && regressionExcluded) all.push('no regression as large as the rule');
  if (power !== undefined && change !== undefined) {
    const text = (value: number): string =>
      change.scale === 'ratio' ? `${significant(Math.expm1(value) * 100)} %` : `${significant(value * 100)} pp`;
    all.push(
      `blocks differ by ${text(power.spread)} by themselves: a change as large as the rule (${text(power.margin)}) ` +
        `is found with a power of ${power.power.toFixed(2)} in ${power.trials} blocks`,
    );
  }
  if (settledBy === null) all.push('not even 200 blocks would settle it');
  else if (settledBy !== undefined) all.push(`about ${settledBy} blocks would settle it`);
  if (ownShare !== undefined) all.push(ownShare);
  return all;
}
