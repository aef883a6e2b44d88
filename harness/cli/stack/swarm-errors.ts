/** Errors of the engine, the deployer and the images, as the command line shows them. */
import { EngineError } from '../../platform/swarm/engine/engine-error.js';
import { ImageError } from '../../platform/swarm/images/image-error.js';
import { StackError } from '../../platform/swarm/stack/stack-error.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';

type SwarmError = EngineError | StackError | ImageError;

const exitCodes: Readonly<Record<SwarmError['code'], number>> = {
  ENGINE_UNREACHABLE: exitCode.unreachable,
  ENGINE_FORBIDDEN: exitCode.unreachable,
  NOT_A_MANAGER: exitCode.unreachable,
  PORT_IN_USE: exitCode.unreachable,
  NAME_TAKEN: exitCode.unreachable,
  OBJECT_IN_USE: exitCode.unreachable,
  OBJECT_NOT_FOUND: exitCode.unreachable,
  OUT_OF_SEQUENCE: exitCode.unreachable,
  ENGINE_REFUSED: exitCode.unreachable,
  ENGINE_ANSWER: exitCode.internal,
  SERVICE_STUCK: exitCode.untrusted,
  NOT_CONVERGED: exitCode.untrusted,
  ROLLED_BACK: exitCode.untrusted,
  UPDATE_PAUSED: exitCode.untrusted,
  NOT_REMOVED: exitCode.untrusted,
  INTERRUPTED: exitCode.interrupted,
  EXTERNAL_MISSING: exitCode.unreachable,
  NAME_NOT_OURS: exitCode.unreachable,
  UNKNOWN_STACK: exitCode.usage,
  UNKNOWN_SERVICE: exitCode.usage,
  NOT_SCALABLE: exitCode.usage,
  CONTENT_CHANGED: exitCode.usage,
  BUNDLE_INCOMPLETE: exitCode.internal,
  IMAGE_BUILD_FAILED: exitCode.unreachable,
  IMAGE_TRANSFER_FAILED: exitCode.unreachable,
  CREDENTIALS_UNREADABLE: exitCode.unreachable,
};

export function isSwarmError(error: unknown): error is SwarmError {
  return error instanceof EngineError || error instanceof StackError || error instanceof ImageError;
}

export function asCliError(error: SwarmError, stack: string | undefined): CliError {
  const left = error instanceof StackError ? error.left : [];
  const where =
    left.length === 0 || stack === undefined
      ? undefined
      : `left in the swarm: ${left.join(', ')}\n  remove them with \`swarmbench down --stack ${stack}\``;
  const { code, message, hint } = error;
  return new CliError({ code, message, where, hint, exitCode: exitCodes[code] });
}

/** For `--json`. */
export function errorJson(error: SwarmError): object {
  const { code, message, hint } = error;
  return { error: { code, message, hint, left: error instanceof StackError ? error.left : [] } };
}
