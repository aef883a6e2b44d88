import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Access, Caller } from './access.js';

export interface ApiEndpoint {
  readonly method: 'get' | 'post' | 'delete';
  /** In the notation of express: `/runs/:id`. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  /** The parameters after `?`, for the OpenAPI document; the handler reads them itself. */
  readonly query?: Readonly<Record<string, { readonly values: readonly string[]; readonly description: string }>>;
  /** `kept`: the handler also gets the text of the body. */
  readonly body?: { readonly schema: z.ZodType; readonly limitBytes: number; readonly kept?: true };
  readonly answer: { readonly status: 200 | 201 | 202; readonly schema?: z.ZodType; readonly contentType?: string };
  readonly handle: (call: Call) => Promise<void> | void;
}

/** One request whose access and body have been checked. */
export interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly body: unknown;
  /** The text of the body, on one line, where the endpoint keeps it and it came so. */
  readonly json: string | undefined;
  readonly caller: Caller;
  /** A part of the path that the endpoint's `path` names. */
  param(name: string): string;
}

interface JsonEndpointSpec<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly method: ApiEndpoint['method'];
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly query?: NonNullable<ApiEndpoint['query']>;
  readonly body?: { readonly schema: Body; readonly limitBytes: number; readonly kept?: true };
  readonly answer: { readonly status: 200 | 201 | 202; readonly schema: Answer };
  readonly handle: (call: Call & { readonly body: z.infer<Body> }) => Promise<z.infer<Answer>> | z.infer<Answer>;
}

/**
 * An endpoint that takes and returns JSON. The schema of the answer is in the OpenAPI document, and the compiler checks
 * the handler against it.
 */
export function jsonEndpoint<Body extends z.ZodType, Answer extends z.ZodType>(
  spec: JsonEndpointSpec<Body, Answer>,
): ApiEndpoint {
  return {
    ...spec,
    handle: async (call) => {
      const answer = await spec.handle(call as Call & { readonly body: z.infer<Body> });
      call.response.status(spec.answer.status).json(answer);
    },
  };
}

/** The object without its undefined values: with `exactOptionalPropertyTypes`, absent and undefined are different. */
export function withoutUndefined<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
