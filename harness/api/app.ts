import type { IncomingMessage, RequestListener } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { codeOf } from '../support/error-message.js';
import { type AccessRules, type Caller, checkOrigin } from './access.js';
import { type ApiEndpoint, parseBody } from './api-endpoint.js';
import type { AuditLog } from './audit.js';
import { ApiError, errorBody, toApiError } from './errors.js';
import { frequentCalls, isOneLine } from './frequent-calls.js';

interface AppOptions {
  readonly endpoints: readonly ApiEndpoint[];
  readonly access: AccessRules;
  readonly audit: AuditLog;
  /** Called with errors that are not the client's fault. */
  readonly onInternalError: (error: unknown) => void;
}

/** All endpoints, behind the same checks: origin, token, body. */
export function createApp(options: AppOptions): RequestListener {
  const frequent = frequentCalls(options);
  const app = expressApp(options);
  return (request, response) => {
    if (!frequent(request, response)) app(request, response);
  };
}

function expressApp({ endpoints, access, audit, onInternalError }: AppOptions): Express {
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
    const body = endpoint.body === undefined ? undefined : parseBody(endpoint.body.schema, request.body);
    const param = (name: string) => String(request.params[name] ?? '');
    const caller = callerOf(response);
    await endpoint.handle({ request, response, body, json: texts.get(request), caller, param });
  };
}

/** Only while the request is handled. */
const texts = new WeakMap<IncomingMessage, string>();

/** Text with line breaks between its values, or not in UTF-8, is written anew by whoever needs it on one line. */
function keepText(request: IncomingMessage, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && isOneLine(body)) texts.set(request, body.toString('utf8'));
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
