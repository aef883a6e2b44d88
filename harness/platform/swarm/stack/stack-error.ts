import type { EngineErrorCode } from '../engine/engine-error.js';

type StackErrorCode =
  /** A service will not come up, however long one waits; the message has the error of its task. */
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

/** A stack could not be brought up, changed or removed as asked. The codes are stable. */
export class StackError extends Error {
  override readonly name = 'StackError';

  constructor(
    readonly code: StackErrorCode | EngineErrorCode,
    message: string,
    readonly hint?: string,
    /** The objects that exist now, such as `service bench_gateway`. */
    readonly left: readonly string[] = [],
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
