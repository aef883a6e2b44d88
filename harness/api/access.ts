import type { IncomingMessage } from 'node:http';
import type { WorkerRegistry } from '../controller/workers/worker-registry.js';
import type { Access } from './api-endpoint.js';
import { ApiError } from './errors.js';
import { type Role, roleOf, sameSecret, type Tokens } from './tokens.js';

export interface AccessRules {
  /** Undefined on loopback, where every caller may do everything. */
  readonly tokens: Tokens | undefined;
  readonly registry: WorkerRegistry;
}

const rolesFor: Record<Exclude<Access, 'open' | 'own-worker'>, readonly Role[]> = {
  viewer: ['viewer', 'operator'],
  operator: ['operator'],
  worker: ['worker'],
};

/**
 * @param workerId from the path, for `own-worker`
 * @throws ApiError UNAUTHORIZED, FORBIDDEN
 */
export function checkAccess(rules: AccessRules, access: Access, request: IncomingMessage, workerId: string): void {
  if (access === 'open') return;
  const token = bearer(request);
  if (access === 'own-worker') return checkWorker(rules, token, workerId);
  if (rules.tokens === undefined) return;
  if (token === undefined) throw unauthorized('this call needs a token');
  const role = roleOf(rules.tokens, token);
  if (role === undefined) throw unauthorized('the token is unknown');
  if (!rolesFor[access].includes(role)) {
    throw new ApiError(
      403,
      'FORBIDDEN',
      `this call needs the role ${access}, but the token has the role ${role}`,
      `Use the ${access} token.`,
    );
  }
}

/** Also on loopback, where other users of the machine could report in the name of a worker. */
function checkWorker({ registry }: AccessRules, token: string | undefined, workerId: string): void {
  // Checked first: after a restart of the controller, this error makes a worker register again.
  const worker = registry.get(workerId);
  if (token === undefined || !sameSecret(worker.token, token))
    throw unauthorized(`this call needs the token that worker ${workerId} was given when it registered`);
}

function unauthorized(message: string): ApiError {
  return new ApiError(
    401,
    'UNAUTHORIZED',
    message,
    'Send `Authorization: Bearer TOKEN`. The tokens are in api-tokens.json in the results folder of the controller.',
  );
}

function bearer(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether an API bound to this host can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Keeps web pages out. A page of another origin is always refused. On loopback there is no token, so a page whose name
 * was made to resolve to 127.0.0.1 (DNS rebinding) must be recognised by its Host header.
 * @throws ApiError HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED
 */
export function checkOrigin(request: IncomingMessage, loopbackOnly: boolean): void {
  const { host = '', origin } = request.headers;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (loopbackOnly && !LOOPBACK_NAMES.has(name) && !isLoopback(name)) {
    throw new ApiError(
      403,
      'HOST_NOT_ALLOWED',
      `the Host header ${JSON.stringify(host)} does not name this machine`,
      'Use http://127.0.0.1, or bind the API to another address; it then requires a token.',
    );
  }
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()) {
    throw new ApiError(
      403,
      'ORIGIN_NOT_ALLOWED',
      `pages of ${origin} may not call this API`,
      'Call it from a program.',
    );
  }
}
