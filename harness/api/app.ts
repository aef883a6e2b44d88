import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { z } from 'zod';
import { codeOf } from '../log/errors.js';
import { type AccessRules, checkAccess, checkOrigin } from './access.js';
import type { ApiEndpoint } from './api-endpoint.js';
import { ApiError, errorBody, toApiError } from './errors.js';

interface AppOptions {
  readonly endpoints: readonly ApiEndpoint[];
  readonly access: AccessRules;
  /** Told of errors that are nobody's fault but ours. */
  readonly onInternalError: (error: unknown) => void;
}

/** All routes behind the same door: origin, then token, then body, then the route. */
export function createApp({ endpoints, access, onInternalError }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use((request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    checkOrigin(request, access.tokens === undefined);
    next();
  });
  for (const endpoint of endpoints) {
    const door: RequestHandler = (request, _response, next) => {
      checkAccess(access, endpoint.access, request, String(request.params.id ?? ''));
      next();
    };
    const reader =
      endpoint.body === undefined
        ? []
        : [express.json({ limit: endpoint.body.limitBytes, strict: true, type: () => true })];
    app[endpoint.method](endpoint.path, door, ...reader, handler(endpoint));
  }
  app.use((request) => {
    throw new ApiError(
      404,
      'NOT_FOUND',
      `there is no ${request.method} ${request.path}`,
      'GET /openapi.json lists what there is.',
    );
  });
  const onError: ErrorRequestHandler = (error, _request, response, next) => {
    const known = toApiError(error);
    // A client that went away in the middle of its answer is no error of ours.
    if (known.status === 500 && codeOf(error) !== 'ECONNABORTED') onInternalError(error);
    if (response.headersSent) return next(error);
    response.status(known.status).json(errorBody(known));
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
  const words = details.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw new ApiError(400, 'INVALID_BODY', words, 'GET /openapi.json has the schema of this body.', details);
}
