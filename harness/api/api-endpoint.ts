import type { Request, Response } from 'express';
import type { z } from 'zod';

/**
 * Who may call: `open` is for anyone who can connect, `worker` for a program with the worker token that asks to be
 * registered, `own-worker` for the very worker in the path, with the token it was given then.
 */
export type Access = 'open' | 'viewer' | 'operator' | 'worker' | 'own-worker';

export interface ApiEndpoint {
  readonly method: 'get' | 'post';
  /** In express's notation: `/runs/:id`. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  /** What may stand behind the `?`, for the description; the route itself reads it. */
  readonly query?: Readonly<Record<string, { readonly values: readonly string[]; readonly description: string }>>;
  readonly body?: { readonly schema: z.ZodType; readonly limitBytes: number };
  readonly answer: { readonly status: 200 | 201 | 202; readonly schema?: z.ZodType; readonly contentType?: string };
  readonly handle: (call: Call) => Promise<void> | void;
}

/** One request, after access and body have been checked. */
export interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly body: unknown;
  /** A part of the path; present because the route's path names it. */
  param(name: string): string;
}

interface JsonEndpointSpec<Body extends z.ZodType, Answer extends z.ZodType> {
  readonly method: ApiEndpoint['method'];
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly query?: NonNullable<ApiEndpoint['query']>;
  readonly body?: { readonly schema: Body; readonly limitBytes: number };
  readonly answer: { readonly status: 200 | 201 | 202; readonly schema: Answer };
  readonly handle: (call: Call & { readonly body: z.infer<Body> }) => Promise<z.infer<Answer>> | z.infer<Answer>;
}

/**
 * A route that takes and gives JSON. The answer's schema is what the OpenAPI document says and what the compiler holds
 * us to.
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

/**
 * The same object without its undefined values, as `exactOptionalPropertyTypes` wants it: absent and undefined are not
 * the same.
 */
export function withoutUndefined<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
