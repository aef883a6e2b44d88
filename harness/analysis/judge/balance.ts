import type { Plan } from '../../../scenarios/schema/plan.js';
import type { RunFacts } from '../facts/run-facts.js';
import type { Aggregate } from '../merge/aggregate.js';
import { byKey } from '../order.js';

/**
 * One worker's books of one stage (design: measurement 4). A gap is a fault of ours, unless the worker died with it.
 */
interface Balance {
  readonly worker: string;
  readonly stage: string;
  /** offered - (sent + dropped + unsent). */
  readonly offeredGap: number;
  /** sent - (succeeded + failed + lost). */
  readonly sentGap: number;
  /** failed - sum of the error categories. */
  readonly errorsGap: number;
  /** Sum of the absolute gaps: 0 when the books balance. */
  readonly gap: number;
  /** The worker was lost: what it had not yet told is missing, which is not a mistake in the books. */
  readonly workerLost: boolean;
}

/** Of a finished run: while it runs, operations in flight are a gap of their own. */
export function balance(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly Balance[] {
  return [...aggregate.workers()].sort(byKey).flatMap(([worker, { byStage }]) =>
    [...byStage]
      .sort(([a], [b]) => a - b)
      .map(([stage, { counts, errors }]) => {
        const offeredGap = counts.offered - (counts.sent + counts.dropped + counts.unsent);
        const sentGap = counts.sent - (counts.succeeded + counts.failed + counts.lost);
        const errorsGap = counts.failed - errors;
        return {
          worker,
          stage: plan.stages[stage]?.name ?? String(stage),
          offeredGap,
          sentGap,
          errorsGap,
          gap: Math.abs(offeredGap) + Math.abs(sentGap) + Math.abs(errorsGap),
          workerLost: facts.workers.get(worker)?.lostAtMs !== undefined,
        };
      }),
  );
}
