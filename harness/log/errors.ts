import { messageOf } from '../support/error-message.js';

/** All errors of requesting and conducting a run. Stable: the CLI, the API and tests match on these. */
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

/**
 * An error with a stable code, a message that names the object, the budget and the last known fact, and a hint that
 * says what to do.
 */
export class ControllerError extends Error {
  constructor(
    readonly code: ControllerErrorCode,
    message: string,
    readonly hint: string | undefined = undefined,
  ) {
    super(message);
    this.name = 'ControllerError';
  }
}

/** A `run.failed` event without its envelope. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function failureOf(error: unknown): Failure {
  if (!isCoded(error)) return { code: 'INTERNAL', message: messageOf(error) };
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** Our own errors and those of platforms carry a stable code and a hint; Node's carry a code but no hint. */
export function isCoded(error: unknown): error is Error & { readonly code: string; readonly hint: string | undefined } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'hint' in error;
}
