import { NOT_DELIVERED } from '../delivery.js';
import type { ProbeOutcome } from './search.js';

/**
 * What a run at one rate says of the target. A target too slow for the load makes a run invalid as a measurement
 * ("load not delivered"), yet says clearly that this rate is not met; any other invalid run says nothing of the target.
 * @returns undefined for a run that did not come to its end, which says nothing at all
 */
export function outcomeOfRun(
  verdict: { readonly kind: 'passed' | 'failed' | 'invalid' | 'incomplete'; readonly reasons: readonly string[] },
  thresholds: readonly { readonly check: string }[],
): ProbeOutcome | undefined {
  switch (verdict.kind) {
    case 'passed':
      return 'met';
    case 'failed':
      return 'unmet';
    case 'invalid':
      return verdict.reasons.every(
        (reason) => reason.startsWith(NOT_DELIVERED) || thresholds.some(({ check }) => reason.startsWith(check)),
      )
        ? 'unmet'
        : 'generator';
    case 'incomplete':
      return undefined;
  }
}
