export { codeOf, messageOf } from '../support/error-message.js';

/**
 * Everything that can go wrong in conducting a run or asking for one. Stable: command line, API and tests match on
 * these.
 */
export type ControllerErrorCode =
  | 'ADJUST_REFUSED'
  | 'CAPACITY_EXCEEDED'
  | 'CONTROLLER_CLOSING'
  | 'CONTROLLER_LOST'
  | 'DEPLOY_FAILED'
  | 'FAULT_FAILED'
  | 'INTERNAL'
  | 'LOG_CORRUPT'
  | 'LOG_WRITE_FAILED'
  | 'NOT_ADOPTABLE'
  | 'PLAN_REFUSED'
  | 'PREFLIGHT_FAILED'
  | 'PREFLIGHT_TIMEOUT'
  | 'RUN_NOT_FOUND'
  | 'RUN_NOT_LIVE'
  | 'RUN_OVER'
  | 'TELEMETRY_MISSING'
  | 'TELEMETRY_REFUSED'
  | 'WORKERS_MISSING'
  | 'WORKER_ENDED'
  | 'WORKER_NOT_FOUND';

/** An error with a stable code, a message that names object, budget and last known fact, and what to do about it. */
export class ControllerError extends Error {
  readonly hint: string | undefined;

  constructor(
    readonly code: ControllerErrorCode,
    message: string,
    hint?: string,
  ) {
    super(message);
    this.name = 'ControllerError';
    this.hint = hint;
  }
}
