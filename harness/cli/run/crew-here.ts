/** What this machine makes of a plan, before anything is started. */

import type { Plan } from '../../../scenarios/schema/index.js';
import { crewHere } from '../../platform/local/local.js';

/** Too many connections for this machine, or for so many workers: known before anything is started. */
export function crewRefusals(plan: Plan, workers: number | undefined): readonly string[] {
  const crew = crewHere(plan, workers);
  return crew.kind === 'refused' ? [`${crew.problem}: ${crew.hint}`] : [];
}

/** Workers of a plan that is not refused, when it runs here. */
export function workersHere(
  plan: Plan,
  given: number | undefined,
): { readonly workers: number; readonly why?: string } {
  const crew = crewHere(plan, given);
  return crew.kind === 'refused'
    ? { workers: given ?? 1 }
    : { workers: crew.workers, ...(crew.why === undefined ? {} : { why: crew.why }) };
}
