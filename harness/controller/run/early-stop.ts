import type { Plan } from '../../../scenarios/schema/plan.js';
import { measure } from '../../analysis/judge/measure.js';
import { holds, judgeThresholds } from '../../analysis/judge/thresholds.js';
import type { Aggregate } from '../../analysis/merge/aggregate.js';
import type { StopReason } from '../../log/events.js';

/** A reason to end the run early. */
export interface EarlyStop {
  readonly reason: Extract<StopReason, 'threshold' | 'stop-rule'>;
  readonly check: string;
  readonly actual: number;
  /** A sentence for the log. */
  readonly detail: string;
}

/**
 * The first threshold with `abortOnFail` that is broken, or else the first stop rule that holds, at run time `tMs`.
 * Missing data is never a reason: a target that has not answered yet is not one that answers badly.
 */
export function earlyStop(plan: Plan, aggregate: Aggregate, tMs: number): EarlyStop | undefined {
  return brokenThreshold(plan, aggregate, tMs) ?? heldStopRule(plan, aggregate, tMs);
}

/** How much of the measured stages is over at run time `tMs`. */
export function measuredMs(plan: Plan, tMs: number): number {
  return plan.stages
    .filter((stage) => stage.measured)
    .reduce((sum, stage) => sum + Math.min(Math.max(tMs - stage.startMs, 0), stage.durationMs), 0);
}

function brokenThreshold(plan: Plan, aggregate: Aggregate, tMs: number): EarlyStop | undefined {
  const elapsedMs = measuredMs(plan, tMs);
  if (elapsedMs === 0) return undefined;
  const thresholds = plan.thresholds.filter(({ abortOnFail, afterMs }) => abortOnFail && elapsedMs >= afterMs);
  for (const { threshold, measurement, passed, undecided } of judgeThresholds({ ...plan, thresholds }, aggregate)) {
    // What only the generator's own share breaks says nothing of the target.
    if (passed || undecided || measurement.kind === 'no-data') continue;
    const { text } = threshold.check;
    return {
      reason: 'threshold',
      check: text,
      actual: measurement.value,
      detail: `threshold ${text} with abortOnFail is broken (${measurement.value})`,
    };
  }
  return undefined;
}

function heldStopRule(plan: Plan, aggregate: Aggregate, tMs: number): EarlyStop | undefined {
  for (const { check, windowMs } of plan.stopWhen) {
    if (tMs < windowMs) continue;
    const measured = measure(check, plan, aggregate, { fromMs: tMs - windowMs, toMs: tMs });
    if (measured.kind === 'no-data' || !holds(check, measured.value)) continue;
    if (measured.floor !== undefined && !holds(check, measured.floor)) continue;
    return {
      reason: 'stop-rule',
      check: check.text,
      actual: measured.value,
      detail: `stopWhen ${check.text} held (${measured.value}) over the last ${windowMs / 1000} s`,
    };
  }
  return undefined;
}
