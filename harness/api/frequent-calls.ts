/**
 * The two calls that every worker makes each second, without express: for a thousand workers these are two thousand
 * requests a second, and its router and body parser take longer than what they carry. Whatever is not as our workers
 * send it (another path, encoding or size, a wrong token) is left to express, so there is one set of refusals.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AccessRules, type Caller, checkOrigin } from './access.js';
import { type ApiEndpoint, parseBody } from './api-endpoint.js';
import { ApiError, errorBody, toApiError } from './errors.js';

interface FrequentCallsOptions {
  readonly endpoints: readonly ApiEndpoint[];
  readonly access: AccessRules;
  /** Called with errors that are not the client's fault. */
  readonly onInternalError: (error: unknown) => void;
}

interface Route {
  readonly path: RegExp;
  readonly endpoint: ApiEndpoint;
  readonly body: NonNullable<ApiEndpoint['body']>;
  readonly answerTo: NonNullable<ApiEndpoint['answerTo']>;
}

interface Accepted extends Route {
  readonly id: string;
  readonly caller: Caller;
}

/** @returns whether it takes the request; if not, nothing was done with it */
export type FrequentCalls = (request: IncomingMessage, response: ServerResponse) => boolean;

export function frequentCalls({ endpoints, access, onInternalError }: FrequentCallsOptions): FrequentCalls {
  const routes = endpoints.flatMap((endpoint): readonly Route[] => {
    const { body, answerTo, path } = endpoint;
    if (body === undefined || answerTo === undefined) return [];
    return [{ path: new RegExp(`^${path.replace(':id', '([A-Za-z0-9]+)')}$`), endpoint, body, answerTo }];
  });
  return (request, response) => {
    const accepted = accept(routes, access, request);
    if (accepted === undefined) return false;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      answer(accepted, bytes).then(
        (value) => send(response, accepted.endpoint.answer.status, value),
        (error: unknown) => {
          const apiError = toApiError(error);
          if (apiError.status === 500) onInternalError(error);
          send(response, apiError.status, errorBody(apiError));
        },
      );
    });
    // The worker went away; it sends the batch again.
    request.on('error', () => undefined);
    return true;
  };
}

function accept(routes: readonly Route[], access: AccessRules, request: IncomingMessage): Accepted | undefined {
  const { method, url = '', headers } = request;
  if (method !== 'POST' || headers['content-encoding'] !== undefined || headers.expect !== undefined) return undefined;
  const bytes = Number(headers['content-length']);
  for (const route of routes) {
    const id = route.path.exec(url)?.[1];
    if (id === undefined) continue;
    if (!(bytes > 0 && bytes <= route.body.limitBytes) || headers['content-type'] !== 'application/json')
      return undefined;
    try {
      checkOrigin(request, access.isOpen);
      return { ...route, id, caller: access.check(route.endpoint.access, request, id) };
    } catch {
      return undefined;
    }
  }
  return undefined;
}

async function answer({ id, caller, body, answerTo }: Accepted, bytes: Buffer): Promise<unknown> {
  const text = bytes.toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError(400, 'INVALID_BODY', 'the body could not be read as JSON', 'Send one JSON object in UTF-8.');
  }
  const json = body.kept === true && isOneLine(bytes) ? text : undefined;
  return answerTo({ body: parseBody(body.schema, value), json, caller, param: () => id });
}

/** Text on several lines is written anew by whoever needs it on one. */
export function isOneLine(body: Buffer): boolean {
  return !body.includes(0x0a) && !body.includes(0x0d);
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
