import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { z } from 'zod';
import { codeOf } from '../controller/errors.js';
import { type AccessRules, checkAccess } from './access.js';
import { ApiError, errorBody, toApiError } from './errors.js';
import { checkOrigin } from './origin.js';
import type { Route } from './route.js';

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly access: AccessRules;
  /** Told of errors that are nobody's fault but ours. */
  readonly onInternalError: (error: unknown) => void;
}

/** All routes behind the same door: origin, then token, then body, then the route. */
export function createApp({ routes, access, onInternalError }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use((request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    checkOrigin(request, access.tokens === undefined);
    next();
  });
  for (const route of routes) {
    const door: RequestHandler = (request, _response, next) => {
      checkAccess(access, route.access, request, String(request.params.id ?? ''));
      next();
    };
    const reader =
      route.body === undefined ? [] : [express.json({ limit: route.body.limitBytes, strict: true, type: () => true })];
    app[route.method](route.path, door, ...reader, handler(route));
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

function handler(route: Route): RequestHandler {
  return async (request, response) => {
    const body = route.body === undefined ? undefined : parse(route.body.schema, request.body);
    await route.handle({ request, response, body, param: (name) => String(request.params[name] ?? '') });
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
