/** Failures that we caused on purpose are counted, but they say nothing about the target. */
import { isByUs } from '../../../client-sim/protocol/misbehaviour-key.js';
import type { OperationCounts } from './counts.js';

/** The number of failures that we caused ourselves. */
export function countByUs(errors: Iterable<readonly [category: string, count: number]>): number {
  let sum = 0;
  for (const [category, count] of errors) if (isByUs(category)) sum += count;
  return sum;
}

export interface TargetErrors {
  /** Operations that the target ended, or left without an answer until the end. */
  readonly ended: number;
  readonly failed: number;
}

/** The operations and failures that the target is responsible for. */
export function targetErrors(
  counts: Readonly<OperationCounts>,
  errors: Iterable<readonly [string, number]>,
): TargetErrors {
  const byUs = countByUs(errors);
  return { ended: counts.succeeded + counts.failed + counts.lost - byUs, failed: counts.failed + counts.lost - byUs };
}

/** Leaves out the categories that we caused ourselves. */
export function withoutByUs<T>(
  byCategory: Iterable<readonly [category: string, value: T]>,
): readonly (readonly [string, T])[] {
  return [...byCategory].filter(([category]) => !isByUs(category));
}
