/** One HTTP call to the engine through dockerode: parsed answers, our errors, abortable. */
import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { z } from 'zod';
import { EngineError, toEngineError } from './engine-error.js';

interface EngineRequest {
  /** What this call does, for its error: `creating service bench_gateway`. */
  readonly doing: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** `X-Registry-Auth`: what the engine, and for services every node, is to show to a registry. */
  readonly registryAuth?: string | undefined;
}

export interface EngineCalls {
  /** @throws EngineError; the signal's reason when aborted */
  call<Answer>(request: EngineRequest, answer: z.ZodType<Answer>, signal: AbortSignal): Promise<Answer>;
  /** An answer that comes bit by bit. It is destroyed when `signal` aborts. */
  open(request: EngineRequest, signal: AbortSignal): Promise<Readable>;
}

/** For calls whose answer says nothing. */
export const nothing = z.unknown();

const SUCCESSES = { 200: true, 201: true, 204: true };

export function engineCalls(docker: Docker, address: string): EngineCalls {
  const dial = async (request: EngineRequest, isStream: boolean, signal: AbortSignal): Promise<unknown> => {
    const { doing, method, path, query = {}, body = {}, registryAuth } = request;
    signal.throwIfAborted();
    // Many calls at once listen to one signal, and stop listening when they end: no leak to warn of.
    setMaxListeners(0, signal);
    try {
      return await new Promise((resolve, reject) => {
        docker.modem.dial(
          // Without the question mark dockerode sends no query.
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
      throw toEngineError(error, doing, address);
    }
  };

  return {
    async call(request, answer, signal) {
      const parsed = answer.safeParse(await dial(request, false, signal));
      if (parsed.success) return parsed.data;
      throw new EngineError(
        'ENGINE_ANSWER',
        `${request.doing}: the engine's answer is not understood: ${z.prettifyError(parsed.error)}`,
        'engines from 20.10 on are known to work',
        parsed.error,
      );
    },
    async open(request, signal) {
      return (await dial(request, true, signal)) as Readable;
    },
  };
}

/** As the engine wants filters: one JSON object of lists. */
export function filters(wanted: Readonly<Record<string, readonly string[]>>): { readonly filters: string } {
  return { filters: JSON.stringify(wanted) };
}
