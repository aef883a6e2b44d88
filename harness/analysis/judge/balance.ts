import type { Plan } from '../../../scenarios/schema/plan.js';
import type { RunFacts } from '../facts/run-facts.js';
import type { Aggregate } from '../merge/aggregate.js';
import { byKey } from '../order.js';
import { isWhole } from './completeness.js';

/** One worker's counts of one stage. A gap is a bug of ours, unless the worker was lost or the log is not whole. */
interface Balance {
  readonly worker: string;
  readonly stage: string;
  /** offered - (sent + dropped + unsent). */
  readonly offeredGap: number;
  /** sent - (succeeded + failed + lost). */
  readonly sentGap: number;
  /** failed - sum of the error categories. */
  readonly errorsGap: number;
  /** Sum of the absolute gaps; 0 when the counts add up. */
  readonly gap: number;
  /** The worker was lost, and what it had not yet reported is missing. */
  readonly workerLost: boolean;
  /** Batches of the worker are not in the log: it was cut or damaged, or the run broke off. */
  readonly batchesMissing: boolean;
}

/** Only for a finished run: while it is on, operations in flight are a gap too. */
export function balance(plan: Plan, aggregate: Pick<Aggregate, 'workers'>, facts: RunFacts): readonly Balance[] {
  return [...aggregate.workers()].sort(byKey).flatMap(([worker, counters]) =>
    [...counters.byStage]
      .sort(([a], [b]) => a - b)
      .map(([stage, { counts, errors }]) => {
        const known = facts.workers.get(worker);
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
          workerLost: known?.lostAtMs !== undefined,
          batchesMissing: !isWhole(known, counters),
        };
      }),
  );
}
