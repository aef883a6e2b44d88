import { z } from 'zod';
import type { OperationPlan, Plan, StagePlan } from '../../../../scenarios/schema/plan.js';
import { type AskedTruth, askedTruths, loadBeginsMs, type TruthReading } from '../../../analysis/facts/truth.js';
import type { BuildInput } from '../report-section.js';
import { count, maybe } from '../shared/fields.js';

export const reachedRow = z.strictObject({
  /** Null in a run without arms. */
  arm: z.string().nullable(),
  /** The tool, or the method; null where the server does not tell them apart. */
  operation: z.string().nullable(),
  /** Where the count comes from. */
  source: z.string(),
  sent: count,
  succeeded: count,
  /** What the server behind the target has answered in the same time. */
  reached: z.number(),
  /** Reached by what succeeded. */
  share: maybe,
  /** `fewer`: not all answers came from the server; `more`: it was asked more often than the clients did. */
  answer: z.enum(['all', 'fewer', 'more']),
});
export type ReachedRow = z.infer<typeof reachedRow>;

/** Time between two readings of a source in which at most one arm had load. */
interface Interval {
  readonly from: TruthReading;
  readonly to: TruthReading;
  readonly stages: readonly StagePlan[];
}

export function buildReached(input: BuildInput): readonly ReachedRow[] {
  return askedTruths(input.plan).flatMap((asked) => rowsOf(input, asked));
}

function rowsOf(input: BuildInput, { id, arm }: AskedTruth): readonly ReachedRow[] {
  const { plan, aggregate, facts } = input;
  const intervals = intervalsOf(plan, facts.truths.get(id) ?? [], arm);
  if (intervals.length === 0) return [];
  const stages = intervals.flatMap((interval) => interval.stages.map(({ index }) => index));
  const known = new Set(intervals.flatMap(({ to }) => Object.keys(to.counts)));
  const groups = new Map<string, { readonly profile: string; readonly operation: string }[]>();
  for (const profile of plan.profiles) {
    if (profile.arm !== arm) continue;
    for (const operation of profile.operations) {
      const key = known.has('') ? '' : keyOf(operation, known);
      groups.set(key, [...(groups.get(key) ?? []), { profile: profile.name, operation: operation.name }]);
    }
  }
  return [...groups].flatMap(([key, operations]): ReachedRow[] => {
    const counts = operations.map(({ profile, operation }) => aggregate.select({ stages, profile, operation }).counts);
    const sent = counts.reduce((sum, one) => sum + one.sent, 0);
    if (sent === 0) return [];
    const succeeded = counts.reduce((sum, one) => sum + one.succeeded, 0);
    const reached = intervals.reduce((sum, { from, to }) => sum + (to.counts[key] ?? 0) - (from.counts[key] ?? 0), 0);
    return [
      {
        arm: arm ?? null,
        operation: key === '' ? null : key,
        source: id,
        sent,
        succeeded,
        reached,
        share: succeeded === 0 ? null : reached / succeeded,
        answer: answerOf(sent, succeeded, reached),
      },
    ];
  });
}

/** A tool, uri or prompt by its name where the source knows it; else the method. */
function keyOf({ target, method }: OperationPlan, known: ReadonlySet<string>): string {
  if (target !== undefined && (known.has(target) || method === 'tools/call')) return target;
  return method;
}

/** An answer may be on its way while the counts are read. */
const SLACK_SHARE = 0.01;
const SLACK = 2;

function answerOf(sent: number, succeeded: number, reached: number): ReachedRow['answer'] {
  const slack = SLACK + SLACK_SHARE * sent;
  if (reached < succeeded - slack) return 'fewer';
  return reached > sent + slack ? 'more' : 'all';
}

/**
 * The intervals between readings that belong to this arm. A reading that came when the load of the next turn had begun
 * is left out, and so are intervals in which two arms had load.
 */
function intervalsOf(plan: Plan, readings: readonly TruthReading[], arm: string | undefined): readonly Interval[] {
  const begins = plan.stages.map((stage) => ({ stage, atMs: loadBeginsMs(stage) }));
  const usable = readings.filter(
    ({ askedMs, atMs }) =>
      !begins.some((begin) => askedMs < begin.atMs && begin.atMs <= atMs && begin.stage.startMs > 0),
  );
  return usable.flatMap((to, at): Interval[] => {
    const from = usable[at - 1];
    if (from === undefined) return [];
    const stages = begins
      .filter(({ atMs }) => from.atMs <= atMs && atMs < Math.max(to.askedMs, from.atMs + 1))
      .map(({ stage }) => stage);
    return stages.length > 0 && stages.every((stage) => stage.arm === arm) ? [{ from, to, stages }] : [];
  });
}
