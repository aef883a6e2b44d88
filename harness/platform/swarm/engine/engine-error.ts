/**
 * What can go wrong between us and a Docker engine, with codes that stay.
 *
 * The engine adapter (this folder) and the deployer (`../stack`) are by another hand than the conversion in
 * `../compose`.
 */

export type EngineErrorCode =
  /** Nobody answers at the address, or the connection broke in mid-answer. */
  | 'ENGINE_UNREACHABLE'
  /** Somebody is there, but not for this user. */
  | 'ENGINE_FORBIDDEN'
  | 'NOT_A_MANAGER'
  /** Somebody else changed the object since it was read. */
  | 'OUT_OF_SEQUENCE'
  | 'NAME_TAKEN'
  | 'PORT_IN_USE'
  | 'OBJECT_IN_USE'
  | 'OBJECT_NOT_FOUND'
  /** Any other refusal, in the engine's words. */
  | 'ENGINE_REFUSED'
  /** The engine said yes in a shape that we do not know. */
  | 'ENGINE_ANSWER';

/**
 * A call that the engine did not serve. `message` holds what was asked and the engine's own words; `hint` says what to
 * do.
 */
export class EngineError extends Error {
  readonly hint: string | undefined;

  constructor(
    readonly code: EngineErrorCode,
    message: string,
    hint?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineError';
    this.hint = hint;
  }
}

export function isEngineError(error: unknown, code: EngineErrorCode): error is EngineError {
  return error instanceof EngineError && error.code === code;
}
