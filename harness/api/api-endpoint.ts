import type { Request, Response } from 'express';
import type { z } from 'zod';
import { shortened } from '../../scenarios/yaml/node.js';
import { MOST_PROBLEMS } from '../../scenarios/yaml/problem.js';
import type { Access, Caller } from './access.js';
import { ApiError } from './errors.js';

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
  /** The answer to a call that workers make each second; see `frequent-calls.ts`. */
  readonly answerTo?: (call: FrequentCall) => unknown;
}

/** One request whose access and body have been checked. */
export interface Call extends FrequentCall {
  readonly request: Request;
  readonly response: Response;
}

export interface FrequentCall {
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

/** An endpoint that workers call each second. */
export function frequentEndpoint<Body extends z.ZodType, Answer extends z.ZodType>(
  spec: Omit<JsonEndpointSpec<Body, Answer>, 'handle'> & {
    readonly handle: (
      call: FrequentCall & { readonly body: z.infer<Body> },
    ) => Promise<z.infer<Answer>> | z.infer<Answer>;
  },
): ApiEndpoint {
  return { ...jsonEndpoint(spec), answerTo: (call) => spec.handle(call as FrequentCall & { body: z.infer<Body> }) };
}

/** @throws ApiError INVALID_BODY with the first hundred problems in `details` */
export function parseBody(schema: z.ZodType, body: unknown): unknown {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const details = issues
    .slice(0, MOST_PROBLEMS)
    .map((issue) => ({ path: shortened(issue.path.join('.')), message: shortened(issue.message) }));
  const told = details.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const more = issues.length - details.length;
  const problems = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  throw new ApiError(400, 'INVALID_BODY', problems, 'GET /openapi.json has the schema of this body.', details);
}

/** The object without its undefined values: with `exactOptionalPropertyTypes`, absent and undefined are different. */
export function withoutUndefined<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
}
