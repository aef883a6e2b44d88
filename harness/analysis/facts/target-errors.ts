/** Operations that failed by our own doing are in the books, but they say nothing about the target. */
import { isByUs } from '../../../client-sim/protocol/misbehaviour-key.js';
import type { OperationCounts } from './counts.js';

/** How many of these failures were our own doing. */
export function countByUs(errors: Iterable<readonly [category: string, count: number]>): number {
  let sum = 0;
  for (const [category, count] of errors) if (isByUs(category)) sum += count;
  return sum;
}

export interface TargetErrors {
  /** Operations that came to an end by the target's doing; lost ones had their time too. */
  readonly ended: number;
  readonly failed: number;
}

/** What the target answered for. */
export function targetErrors(
  counts: Readonly<OperationCounts>,
  errors: Iterable<readonly [string, number]>,
): TargetErrors {
  const byUs = countByUs(errors);
  return { ended: counts.succeeded + counts.failed + counts.lost - byUs, failed: counts.failed + counts.lost - byUs };
}

/** Without the categories that are our own doing. */
export function withoutByUs<T>(
  byCategory: Iterable<readonly [category: string, value: T]>,
): readonly (readonly [string, T])[] {
  return [...byCategory].filter(([category]) => !isByUs(category));
}
