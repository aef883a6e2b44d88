import { ControllerError, type ControllerErrorCode } from '../log/errors.js';
import { messageOf } from '../support/error-message.js';

/** The API's own codes, in addition to those of the controller. */
type ApiErrorCode =
  | 'ARTIFACT_NOT_FOUND'
  | 'BAD_REQUEST'
  | 'BODY_TOO_LARGE'
  | 'BUSY'
  | 'CLUSTER_SILENT'
  | 'FORBIDDEN'
  | 'HOST_NOT_ALLOWED'
  | 'INVALID_BODY'
  | 'INVALID_SCENARIO'
  | 'NOT_FOUND'
  | 'NO_CLUSTER'
  | 'ORIGIN_NOT_ALLOWED'
  | 'SERVICE_NOT_FOUND'
  | 'SESSION_NOT_FOUND'
  | 'TOKEN_NOT_FOUND'
  | 'UNAUTHORIZED';

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: ApiErrorCode | ControllerErrorCode,
    message: string,
    readonly hint: string,
    readonly details: unknown = undefined,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly details?: unknown;
  };
}

/** HTTP statuses of the controller errors that a request can cause. All others occur inside a run, or are internal. */
const statuses: Partial<Record<ControllerErrorCode, number>> = {
  ADJUST_REFUSED: 409,
  CONTROLLER_CLOSING: 503,
  LOG_WRITE_FAILED: 503,
  RUN_NOT_FOUND: 404,
  RUN_NOT_LIVE: 409,
  RUN_OVER: 410,
  TELEMETRY_REFUSED: 422,
  WORKER_NOT_FOUND: 404,
};

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ControllerError) {
    return new ApiError(statuses[error.code] ?? 500, error.code, error.message, error.hint ?? '');
  }
  const { type, status } = httpErrorOf(error);
  if (type === 'entity.too.large')
    return new ApiError(413, 'BODY_TOO_LARGE', 'the body is larger than this endpoint accepts', 'Send less at once.');
  if (type !== undefined)
    return new ApiError(400, 'INVALID_BODY', 'the body could not be read as JSON', 'Send one JSON object in UTF-8.');
  if (status !== undefined)
    return new ApiError(status, 'BAD_REQUEST', messageOf(error), 'Is the path percent-encoded correctly?');
  return new ApiError(
    500,
    'INTERNAL',
    'internal error of the controller',
    'The log of the controller has the details.',
  );
}

export function errorBody({ code, message, hint, details }: ApiError): ErrorBody {
  return { error: { code, message, hint, ...(details === undefined ? {} : { details }) } };
}

/** Errors of express that are the client's fault carry an HTTP status; those of its body parser also carry a `type`. */
function httpErrorOf(error: unknown): { readonly type?: string | undefined; readonly status?: number | undefined } {
  if (typeof error !== 'object' || error === null || !('status' in error) || typeof error.status !== 'number')
    return {};
  if (error.status < 400 || error.status > 499) return {};
  return { status: error.status, type: 'type' in error && typeof error.type === 'string' ? error.type : undefined };
}
