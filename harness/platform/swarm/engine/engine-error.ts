import { z } from 'zod';

export type EngineErrorCode =
  /** Nothing answers at the address, or the connection broke in the middle of an answer. */
  | 'ENGINE_UNREACHABLE'
  /** The engine is there, but not for this user. */
  | 'ENGINE_FORBIDDEN'
  | 'NOT_A_MANAGER'
  /** The object was changed since it was read. */
  | 'OUT_OF_SEQUENCE'
  | 'NAME_TAKEN'
  | 'PORT_IN_USE'
  | 'OBJECT_IN_USE'
  | 'OBJECT_NOT_FOUND'
  /** Any other refusal, with the engine's message. */
  | 'ENGINE_REFUSED'
  /** The engine succeeded, but its answer has an unexpected form. */
  | 'ENGINE_ANSWER';

/** A call to the engine failed. The message has the call and the engine's own message. The codes are stable. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly code: EngineErrorCode,
    message: string,
    readonly hint?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

export function isEngineError(error: unknown, code: EngineErrorCode): error is EngineError {
  return error instanceof EngineError && error.code === code;
}

const thrownByModem = z.looseObject({
  message: z.string(),
  code: z.string().optional(),
  statusCode: z.number().optional(),
  json: z.unknown().optional(),
});

const withMessage = z.looseObject({ message: z.string() });

/**
 * From what dockerode throws. The engine has no codes beside the HTTP status, so its messages are matched.
 * @param action of the call, such as `creating service bench_gateway`
 * @param address of the engine, as people write it
 */
export function toEngineError(error: unknown, action: string, address: string): EngineError {
  const thrown = thrownByModem.safeParse(plain(error)).data;
  if (thrown === undefined) return new EngineError('ENGINE_REFUSED', `${action}: ${String(error)}`, undefined, error);
  const { statusCode, code } = thrown;
  if (statusCode !== undefined) {
    const message = engineMessage(thrown.json, thrown.message);
    const kind = codeFor(statusCode, message);
    const hint = /mode change is not allowed/i.test(message)
      ? 'the mode of a service cannot be changed: remove the service (`docker service rm`) and run this again'
      : hints[kind];
    return new EngineError(kind, `${action}: ${message}`, hint, error);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new EngineError(
      'ENGINE_FORBIDDEN',
      `no access to the Docker engine at ${address}`,
      'join the group that owns the socket (usually `docker`), or use sudo',
      error,
    );
  }
  return new EngineError(
    'ENGINE_UNREACHABLE',
    `no Docker engine answers at ${address} (${action}: ${thrown.message})`,
    'start Docker, or point DOCKER_HOST at an engine; `swarmbench doctor` shows what is missing',
    error,
  );
}

const hints: Readonly<Partial<Record<EngineErrorCode, string>>> = {
  NOT_A_MANAGER: '`docker swarm init` makes this engine a manager; or point DOCKER_HOST at one',
  OUT_OF_SEQUENCE: 'the service is being changed at the same time; run this again',
  PORT_IN_USE: 'another service publishes that port; `docker service ls` shows which',
};

function codeFor(status: number, message: string): EngineErrorCode {
  if (/update out of sequence/i.test(message)) return 'OUT_OF_SEQUENCE';
  if (/not a swarm manager|not part of a swarm/i.test(message)) return 'NOT_A_MANAGER';
  if (/port '?\d+'? is already in use/i.test(message)) return 'PORT_IN_USE';
  if (/is in use|in use by|has active endpoints|volume is being used|volume in use/i.test(message))
    return 'OBJECT_IN_USE';
  if (status === 409) return 'NAME_TAKEN';
  if (status === 404) return 'OBJECT_NOT_FOUND';
  return 'ENGINE_REFUSED';
}

/** Without what dockerode puts around it: `(HTTP code 404) unexpected - no such service `. */
function engineMessage(json: unknown, message: string): string {
  const whole =
    withMessage.safeParse(json).data?.message ?? /^\(HTTP code \d+\) .*? - (.*)$/s.exec(message)?.[1] ?? message;
  return whole.trim().replace(/^rpc error: code = \w+ desc = /, '');
}

/** An Error's message is not enumerable. `instanceof` fails under jest, where Node's errors come from another realm. */
function plain(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('message' in error)) return error;
  return { ...error, message: error.message };
}
