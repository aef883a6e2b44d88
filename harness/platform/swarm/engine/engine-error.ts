import { z } from 'zod';

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

/**
 * From what dockerode throws to an `EngineError`. The engine has no codes beyond the HTTP status, so its words are
 * matched.
 */

const thrownByModem = z.looseObject({
  message: z.string(),
  code: z.string().optional(),
  statusCode: z.number().optional(),
  json: z.unknown().optional(),
});

const withMessage = z.looseObject({ message: z.string() });

/**
 * @param doing what was asked, as in `creating service bench_gateway`
 * @param address of the engine, as people write it
 */
export function toEngineError(error: unknown, doing: string, address: string): EngineError {
  const thrown = thrownByModem.safeParse(plain(error)).data;
  if (thrown === undefined) return new EngineError('ENGINE_REFUSED', `${doing}: ${String(error)}`, undefined, error);
  const { statusCode, code } = thrown;
  if (statusCode !== undefined) {
    const words = engineMessage(thrown.json, thrown.message);
    const kind = kindOf(statusCode, words);
    const hint = /mode change is not allowed/i.test(words)
      ? 'a service cannot change its mode: remove it first (`docker service rm`), then run this again'
      : hints[kind];
    return new EngineError(kind, `${doing}: ${words}`, hint, error);
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
    `no Docker engine answers at ${address} (${doing}: ${thrown.message})`,
    'start Docker, or point DOCKER_HOST at an engine; `swarmbench doctor` looks what is missing',
    error,
  );
}

const hints: Readonly<Partial<Record<EngineErrorCode, string>>> = {
  NOT_A_MANAGER: '`docker swarm init` makes this engine a manager; or point DOCKER_HOST at one',
  OUT_OF_SEQUENCE: 'somebody else is changing it at the same time; run this again',
  PORT_IN_USE: 'another service publishes that port: `docker service ls` shows which',
};

function kindOf(status: number, words: string): EngineErrorCode {
  if (/update out of sequence/i.test(words)) return 'OUT_OF_SEQUENCE';
  if (/not a swarm manager|not part of a swarm/i.test(words)) return 'NOT_A_MANAGER';
  if (/port '?\d+'? is already in use/i.test(words)) return 'PORT_IN_USE';
  if (/is in use|in use by|has active endpoints|volume is being used|volume in use/i.test(words))
    return 'OBJECT_IN_USE';
  if (status === 409) return 'NAME_TAKEN';
  if (status === 404) return 'OBJECT_NOT_FOUND';
  return 'ENGINE_REFUSED';
}

/** The engine's words without what dockerode puts around them: `(HTTP code 404) unexpected - no such service `. */
function engineMessage(json: unknown, message: string): string {
  const words =
    withMessage.safeParse(json).data?.message ?? /^\(HTTP code \d+\) .*? - (.*)$/s.exec(message)?.[1] ?? message;
  return words.trim().replace(/^rpc error: code = \w+ desc = /, '');
}

/** `message` of an Error is not enumerable, and under jest Node's errors are of another realm: no `instanceof`. */
function plain(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('message' in error)) return error;
  return { ...error, message: error.message };
}
