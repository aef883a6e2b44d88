import { addReplica, noReplica, type ReplicaCounts } from '../facts/counts.js';
import { countByUs } from '../facts/target-errors.js';
import type { Totals } from '../merge/series-store.js';

/** What the replicas answered, summed up: for the report and for `affinity.moved`. */
interface Affinity {
  readonly counts: Readonly<ReplicaCounts>;
  /** Operations that ended, except those that we ended on purpose, and whose replica is not known. */
  readonly unattributed: number;
}

/** @returns undefined when no answer named its replica */
export function affinityOf(totals: Totals): Affinity | undefined {
  const {
    replicas,
    errors,
    counts: { succeeded, failed },
  } = totals;
  if (replicas.length === 0) return undefined;
  const counts = noReplica();
  for (const replica of replicas) addReplica(counts, replica.counts);
  return {
    counts,
    unattributed: Math.max(0, succeeded + failed - countByUs(errors) - counts.succeeded - counts.failed),
  };
}
