/** HTTP calls to the engine through dockerode: abortable, with parsed answers and our errors. */
import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { EngineError, toEngineError } from './engine-error.js';

interface EngineRequest {
  /** For the error of this call: `creating service bench_gateway`. */
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** `X-Registry-Auth`: credentials for the engine and, with services, for every node. */
  readonly registryAuth?: string | undefined;
}

export interface EngineCalls {
  /** @throws EngineError; the signal's reason when aborted */
  call<Answer>(request: EngineRequest, answer: z.ZodType<Answer>, signal: AbortSignal): Promise<Answer>;
  /** For an answer that is a stream. An abort of `signal` destroys it. */
  open(request: EngineRequest, signal: AbortSignal): Promise<Readable>;
}

/** The schema of answers that do not matter. */
export const ignored = z.unknown();

const SUCCESSES = { 200: true, 201: true, 204: true };

export function engineCalls(docker: Docker, address: string): EngineCalls {
  const dial = async (request: EngineRequest, isStream: boolean, signal: AbortSignal): Promise<unknown> => {
    const { action, method, path, query = {}, body = {}, registryAuth } = request;
    signal.throwIfAborted();
    // Many calls at once listen to one signal and stop listening when they end: this is not a leak to warn about.
    setMaxListeners(0, signal);
    try {
      return await new Promise((resolve, reject) => {
        docker.modem.dial(
          // dockerode sends no query without the question mark.
          {
            method,
            path: `${path}?`,
            options: { _query: query, _body: body },
            isStream,
            statusCodes: SUCCESSES,
            abortSignal: signal,
            ...(registryAuth === undefined ? {} : { authconfig: { base64: registryAuth } }),
          },
          (error: unknown, answer: unknown) =>
            error === null || error === undefined ? resolve(answer) : reject(error as Error),
        );
      });
    } catch (error) {
      signal.throwIfAborted();
      throw toEngineError(error, action, address);
    }
  };

  return {
    async call(request, answer, signal) {
      const parsed = answer.safeParse(await dial(request, false, signal));
      if (parsed.success) return parsed.data;
      throw new EngineError(
        'ENGINE_ANSWER',
        `${request.action}: the engine gave an unexpected answer: ${z.prettifyError(parsed.error)}`,
        'engines from version 20.10 on are known to work',
        parsed.error,
      );
    },
    async open(request, signal) {
      return (await dial(request, true, signal)) as Readable;
    },
  };
}

/** The engine takes filters as one JSON object of lists. */
export function filters(wanted: Readonly<Record<string, readonly string[]>>): { readonly filters: string } {
  return { filters: JSON.stringify(wanted) };
}
