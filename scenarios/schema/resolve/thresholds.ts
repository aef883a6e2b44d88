/** Thresholds, stop rules and rules of comparisons: they are parsed here, before the run. */
import { type LabelValues, parseCheck } from '../grammar/check.js';
import { parseRule } from '../grammar/rule.js';
import type { ScenarioSource } from '../keys/scenario-schema.js';
import type { Check, RulePlan, StopRulePlan, ThresholdPlan } from '../plan.js';
import type { SourcePart } from '../source-part.js';

interface CheckContext {
  readonly known: LabelValues;
  readonly scaleMs: (ms: number) => number;
  readonly scenarioPart: SourcePart;
}

export function resolveThresholds(
  sources: NonNullable<ScenarioSource['thresholds']>,
  context: CheckContext,
): readonly ThresholdPlan[] {
  return sources.flatMap((source, index) => {
    const [written, path] =
      typeof source === 'string' ? [source, ['thresholds', index]] : [source.check, ['thresholds', index, 'check']];
    const check = resolveCheck(written, path, context);
    if (check === undefined) return [];
    if (typeof source === 'string') return [{ check, abortOnFail: false, afterMs: 0 }];
    return [{ check, abortOnFail: source.abortOnFail, afterMs: context.scaleMs(source.after) }];
  });
}

export function resolveStopRules(
  sources: NonNullable<ScenarioSource['stopWhen']>,
  context: CheckContext,
): readonly StopRulePlan[] {
  return sources.flatMap((source, index) => {
    const check = resolveCheck(source.check, ['stopWhen', index, 'check'], context);
    if (check !== undefined && (check.labels.phase !== undefined || check.labels.fault !== undefined)) {
      context.scenarioPart.reportInText(
        ['stopWhen', index, 'check'],
        0,
        'a stop rule looks at a sliding window, and not at the phases of a fault',
        'leave out `phase` and `fault`, or make it a threshold',
      );
      return [];
    }
    return check === undefined ? [] : [{ check, windowMs: context.scaleMs(source.window) }];
  });
}

export function resolveRules(
  sources: NonNullable<ScenarioSource['compare']>,
  { known, scenarioPart }: CheckContext,
): readonly RulePlan[] {
  return sources.flatMap((source, index) => {
    const parsed = parseRule(source, known);
    if (parsed.ok) return [parsed.rule];
    const { offset, message, hint } = parsed.problem;
    scenarioPart.reportInText(['compare', index], offset, message, hint);
    return [];
  });
}

function resolveCheck(written: string, path: readonly (string | number)[], context: CheckContext): Check | undefined {
  const parsed = parseCheck(written, context.known);
  if (parsed.ok) return parsed.check;
  const { offset, message, hint } = parsed.problem;
  context.scenarioPart.reportInText(path, offset, message, hint);
  return undefined;
}
