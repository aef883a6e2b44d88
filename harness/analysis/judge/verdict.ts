/**
 * The verdict on a run. Incomplete outweighs invalid, and invalid outweighs failed; the reasons of all three are
 * listed, in that order.
 */
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { Verdict } from '../../log/events.js';
import type { RunFacts } from '../facts/run-facts.js';
import { measuredStages } from '../facts/stages.js';
import { formatMetric, plural } from '../format.js';
import type { Aggregate } from '../merge/aggregate.js';
import { balance } from './balance.js';
import { judgeCompleteness } from './completeness.js';
import { judgeGenerator, judgeSilence } from './generator-health.js';
import { judgeMadeLoad, judgeTakenLoad } from './load-delivery.js';
import { judgeLostWorkers } from './lost-workers.js';
import { judgeOwnShare } from './own-share.js';
import { judgeThresholds, type ThresholdResult } from './thresholds.js';
import { judgeWindows } from './worker-windows.js';

export function judge(plan: Plan, facts: RunFacts, aggregate: Aggregate): Verdict {
  const thresholds = judgeThresholds(plan, aggregate);
  const incomplete = judgeCompleteness(plan, aggregate, facts);
  const failed = [
    ...judgeTakenLoad(plan, aggregate),
    ...aborts(facts, thresholds),
    ...thresholds.filter(({ passed, undecided }) => !passed && !undecided).map(describeFailure),
  ];
  // A run without load measured nothing that could be invalid; the reason why it stopped is enough.
  if (facts.startAt === undefined) return { kind: 'incomplete', reasons: incomplete };
  const invalid = [
    ...judgeOwnShare(plan, aggregate, facts, thresholds),
    ...judgeValidity(plan, facts, aggregate),
    ...(failed.length === 0 ? nothingMeasured(plan, aggregate) : []),
  ];
  const reasons = [...incomplete, ...invalid, ...failed];
  if (incomplete.length > 0) return { kind: 'incomplete', reasons };
  if (invalid.length > 0) return { kind: 'invalid', reasons };
  if (failed.length > 0) return { kind: 'failed', reasons };
  return { kind: 'passed', reasons: [] };
}

/** Why the measurement cannot be trusted; empty when it can. */
function judgeValidity(plan: Plan, facts: RunFacts, aggregate: Aggregate): readonly string[] {
  return [
    ...judgeGenerator(plan, aggregate, facts),
    ...judgeSilence(plan, aggregate),
    ...judgeMadeLoad(plan, aggregate, facts),
    ...judgeLostWorkers(plan, aggregate, facts),
    ...judgeWindows(plan, aggregate, facts),
    ...unbalanced(plan, facts, aggregate),
    ...faultless(facts, aggregate),
  ];
}

function unbalanced(plan: Plan, facts: RunFacts, aggregate: Aggregate): readonly string[] {
  return balance(plan, aggregate, facts)
    .filter(({ gap, workerLost, batchesMissing }) => gap !== 0 && !workerLost && !batchesMissing)
    .map(
      ({ worker, stage, offeredGap, sentGap, errorsGap }) =>
        `the counts of worker ${worker} in stage ${stage} do not add up ` +
        `(offered: ${offeredGap}, sent: ${sentGap}, errors: ${errorsGap} unaccounted for): ` +
        'this is a bug in swarmbench, please report it',
    );
}

/** A run whose faults had no effect says nothing about them. */
function faultless({ halted }: RunFacts, aggregate: Aggregate): readonly string[] {
  return [
    ...(halted === undefined ? [] : [`its faults were ended before their time by ${halted}`]),
    ...aggregate
      .faults()
      .filter(({ unwitnessed, ended }) => unwitnessed !== undefined && ended !== 'halted')
      .map(({ id, name, kind, target, unwitnessed }) => {
        const what = name === kind ? kind : `${name} (${kind})`;
        return `fault ${id}, ${what} of ${target}, has no witness: ${unwitnessed}`;
      }),
  ];
}

/** A run that measured nothing has not passed, with or without thresholds. */
function nothingMeasured(plan: Plan, aggregate: Aggregate): readonly string[] {
  const stages = measuredStages(plan);
  if (stages.length === 0) return ['nothing was measured: the scenario has no measured stage'];
  const { counts, sessions } = aggregate.select({ stages });
  if (counts.succeeded > 0 || (counts.offered === 0 && sessions.sessionsOpened > 0)) return [];
  return [
    counts.offered === 0
      ? 'nothing was measured: no operation came due and no session was opened in a measured stage'
      : `none of ${plural(counts.offered, 'operation')} in the measured stages succeeded: ` +
        'there is no latency to report, and no threshold on errors to judge the run by',
  ];
}

function aborts({ broken }: RunFacts, results: readonly ThresholdResult[]): readonly string[] {
  return broken
    .filter(
      ({ abort, check }) => abort && results.some((result) => result.threshold.check.text === check && result.passed),
    )
    .map(({ check, actual }) => `${check}: was ${actual} during the run, which ended it (abortOnFail)`);
}

function describeFailure({ threshold, measurement }: ThresholdResult): string {
  const { check } = threshold;
  return measurement.kind === 'no-data'
    ? `${check.text}: no data (${measurement.why})`
    : `${check.text}: was ${formatMetric(check, measurement.value)}`;
}
