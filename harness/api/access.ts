import type { IncomingMessage } from 'node:http';
import type { WorkerRegistry } from '../controller/workers/registry.js';
import { ApiError } from './errors.js';
import type { Access } from './route.js';
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
