import type { IncomingMessage } from 'node:http';
import type { WorkerRegistry } from '../controller/workers/worker-registry.js';
import type { Access } from './api-endpoint.js';
import { ApiError } from './errors.js';
import { type Role, roleOf, type Tokens } from './tokens.js';

export interface AccessRules {
  /** Undefined: bound to loopback, where whoever can connect may do everything. */
  readonly tokens: Tokens | undefined;
  readonly registry: WorkerRegistry;
}

const allowed: Record<Exclude<Access, 'open' | 'own-worker'>, readonly Role[]> = {
  viewer: ['viewer', 'operator'],
  operator: ['operator'],
  worker: ['worker'],
};

/** @throws ApiError UNAUTHORIZED, FORBIDDEN @param workerId of the path, for `own-worker` */
export function checkAccess(rules: AccessRules, access: Access, request: IncomingMessage, workerId: string): void {
  if (access === 'open') return;
  const token = bearer(request);
  if (access === 'own-worker') return checkWorker(rules, token, workerId);
  if (rules.tokens === undefined) return;
  if (token === undefined) throw unauthorized('this call needs a token');
  const role = roleOf(rules.tokens, token);
  if (role === undefined) throw unauthorized('this token is not known here');
  if (!allowed[access].includes(role)) {
    throw new ApiError(
      403,
      'FORBIDDEN',
      `this call is for the role ${access}, the token's role is ${role}`,
      `Use the ${access} token.`,
    );
  }
}

/** Also on loopback, where other users of the machine can connect too: nobody reports in another worker's name. */
function checkWorker({ registry }: AccessRules, token: string | undefined, workerId: string): void {
  // Not registered comes first: it tells a worker of a restarted controller to register again.
  registry.get(workerId);
  if (token === undefined || !registry.holdsToken(workerId, token))
    throw unauthorized(`this call needs the token that worker ${workerId} got when it registered`);
}

function unauthorized(message: string): ApiError {
  return new ApiError(
    401,
    'UNAUTHORIZED',
    message,
    'Send `Authorization: Bearer TOKEN`; the tokens are in api-tokens.json in the results folder of the controller.',
  );
}

function bearer(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether binding to this host keeps the API on this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Keeps web pages out. On loopback there is no token, so a page whose name was made to resolve to 127.0.0.1 (DNS
 * rebinding) must be told by its Host; and a page of another origin is refused everywhere.
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
      'Use http://127.0.0.1, or bind the API to an address (it then wants a token).',
    );
  }
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host.toLowerCase()) {
    throw new ApiError(
      403,
      'ORIGIN_NOT_ALLOWED',
      `pages of ${origin} may not call this API`,
      'Call it from the page it serves itself, or from a program.',
    );
  }
}
