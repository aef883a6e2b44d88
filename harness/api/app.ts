import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { z } from 'zod';
import { codeOf } from '../support/error-message.js';
import { type AccessRules, checkAccess, checkOrigin } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';
import { ApiError, errorBody, toApiError } from './errors.js';

interface AppOptions {
  readonly endpoints: readonly ApiEndpoint[];
  readonly access: AccessRules;
  /** Called with errors that are not the client's fault. */
  readonly onInternalError: (error: unknown) => void;
}

/** All endpoints, behind the same checks: origin, token, body. */
export function createApp({ endpoints, access, onInternalError }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use((request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    checkOrigin(request, access.tokens === undefined);
    next();
  });
  for (const endpoint of endpoints) {
    const guard: RequestHandler = (request, _response, next) => {
      checkAccess(access, endpoint.access, request, String(request.params.id ?? ''));
      next();
    };
    const bodyParser =
      endpoint.body === undefined
        ? []
        : [express.json({ limit: endpoint.body.limitBytes, strict: true, type: () => true })];
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
    await endpoint.handle({ request, response, body, param: (name) => String(request.params[name] ?? '') });
  };
}

/** @throws ApiError INVALID_BODY with every problem in `details` */
function parse(schema: z.ZodType, body: unknown): unknown {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const problems = details.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new ApiError(400, 'INVALID_BODY', problems, 'GET /openapi.json has the schema of this body.', details);
}
