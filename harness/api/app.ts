import type { IncomingMessage } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { z } from 'zod';
import { shortened } from '../../scenarios/yaml/node.js';
import { MOST_PROBLEMS } from '../../scenarios/yaml/problem.js';
import { codeOf } from '../support/error-message.js';
import { type AccessRules, type Caller, checkOrigin } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';
import type { AuditLog } from './audit.js';
import { ApiError, errorBody, toApiError } from './errors.js';

interface AppOptions {
  readonly endpoints: readonly ApiEndpoint[];
  readonly access: AccessRules;
  readonly audit: AuditLog;
  /** Called with errors that are not the client's fault. */
  readonly onInternalError: (error: unknown) => void;
}

/** All endpoints, behind the same checks: origin, token, body. */
export function createApp({ endpoints, access, audit, onInternalError }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use((request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    checkOrigin(request, access.isOpen);
    next();
  });
  for (const endpoint of endpoints) {
    const guard: RequestHandler = (request, response, next) => {
      if (changes(endpoint)) response.once('finish', () => record(audit, request, response, onInternalError));
      response.locals.caller = access.check(endpoint.access, request, String(request.params.id ?? ''));
      next();
    };
    const bodyParser =
      endpoint.body === undefined
        ? []
        : [
            express.json({
              limit: endpoint.body.limitBytes,
              strict: true,
              type: () => true,
              ...(endpoint.body.kept === true ? { verify: keepText } : {}),
            }),
          ];
    app[endpoint.method](endpoint.path, guard, ...bodyParser, handler(endpoint));
  }
  app.use((request) => {
    throw new ApiError(
      404,
      'NOT_FOUND',
      `there is no ${request.method} ${request.path}`,
      'GET /openapi.json lists all endpoints.',
    );
  });
  const onError: ErrorRequestHandler = (error, _request, response, next) => {
    const apiError = toApiError(error);
    // A client that disconnects in the middle of its answer is not an internal error.
    if (apiError.status === 500 && codeOf(error) !== 'ECONNABORTED') onInternalError(error);
    if (response.headersSent) return next(error);
    response.status(apiError.status).json(errorBody(apiError));
  };
  app.use(onError);
  return app;
}

function handler(endpoint: ApiEndpoint): RequestHandler {
  return async (request, response) => {
    const body = endpoint.body === undefined ? undefined : parse(endpoint.body.schema, request.body);
    const param = (name: string) => String(request.params[name] ?? '');
    const caller = callerOf(response);
    await endpoint.handle({ request, response, body, json: texts.get(request), caller, param });
  };
}

/** Only while the request is handled. */
const texts = new WeakMap<IncomingMessage, string>();

/** Text with line breaks between its values, or not in UTF-8, is written anew by whoever needs it on one line. */
function keepText(request: IncomingMessage, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && !body.includes(0x0a) && !body.includes(0x0d)) texts.set(request, body.toString('utf8'));
}

/** Measurements of a worker about itself are no changes: each run logs them by itself. */
function changes({ method, access }: ApiEndpoint): boolean {
  return method !== 'get' && access !== 'own-worker';
}

const REFUSED: Caller = { id: 'unknown' };

function callerOf({ locals }: Response): Caller {
  return (locals.caller as Caller | undefined) ?? REFUSED;
}

function record(audit: AuditLog, request: Request, response: Response, onError: (error: unknown) => void): void {
  const caller = callerOf(response);
  // The workers of a run are in its own log.
  if (caller.runId !== undefined && request.path === '/workers') return;
  const made = response.getHeader('location');
  try {
    audit.record({
      caller: caller.id,
      from: request.socket.remoteAddress ?? '',
      call: `${request.method} ${request.path}`,
      status: response.statusCode,
      ...(typeof made === 'string' ? { made } : {}),
    });
  } catch (error) {
    onError(error);
  }
}

/** @throws ApiError INVALID_BODY with the first hundred problems in `details` */
function parse(schema: z.ZodType, body: unknown): unknown {
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
