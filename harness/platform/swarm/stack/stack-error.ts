/**
 * What can go wrong in bringing a stack up or down, with codes that stay.
 *
 * This folder, the deployer, is by the same hand as `../engine`.
 */
import type { EngineErrorCode } from '../engine/engine-error.js';

type StackErrorCode =
  /** A service that will not come up by waiting, in its task's own words. */
  | 'SERVICE_STUCK'
  | 'NOT_CONVERGED'
  | 'ROLLED_BACK'
  | 'UPDATE_PAUSED'
  | 'INTERRUPTED'
  | 'NOT_REMOVED'
  | 'UNKNOWN_STACK'
  | 'UNKNOWN_SERVICE'
  | 'NOT_SCALABLE'
  | 'EXTERNAL_MISSING'
  /** A config or secret of the same name with another content. */
  | 'CONTENT_CHANGED'
  | 'NAME_NOT_OURS';

/** A stack that is not where it was asked to be. */
export class StackError extends Error {
  readonly hint: string | undefined;

  constructor(
    readonly code: StackErrorCode | EngineErrorCode,
    message: string,
    hint?: string,
    /** What is there now, one `service bench_gateway` each; empty when nothing is. */
    readonly left: readonly string[] = [],
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StackError';
    this.hint = hint;
  }
}
