/** Which replica answered what, summed up: for the report and for `affinity.moved`. */

import { addReplicas, noReplica } from '../facts/counts.js';
import { countByUs } from '../facts/target-errors.js';
import type { ReplicaCounts, Totals } from '../merge/contract.js';

interface Affinity {
  readonly counts: Readonly<ReplicaCounts>;
  /** Operations that succeeded or failed, not by our own doing, at a replica that is not known. */
  readonly unattributed: number;
}

/** Undefined: nothing of it is known to have been any replica's. */
export function affinityOf(totals: Totals): Affinity | undefined {
  const {
    replicas,
    errors,
    counts: { succeeded, failed },
  } = totals;
  if (replicas.length === 0) return undefined;
  const counts = noReplica();
  for (const replica of replicas) addReplicas(counts, replica.counts);
  return {
    counts,
    unattributed: Math.max(0, succeeded + failed - countByUs(errors) - counts.succeeded - counts.failed),
  };
}

/** The part of one replica. @param replica as reports call it */
export function replicaOf(totals: Totals, replica: string): Totals['replicas'][number] | undefined {
  return totals.replicas.find(({ name }) => name === replica);
}
