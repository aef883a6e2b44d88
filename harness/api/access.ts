import type { IncomingMessage } from 'node:http';
import type { Controller } from '../controller/controller.js';
import { sameSecret } from '../support/secret.js';
import { ApiError } from './errors.js';
import type { Role, TokenView } from './tokens.js';

/**
 * Who may call. `open`: everyone who can connect. `worker`: a program with a worker token, to register. `own-worker`:
 * the worker in the path, with the token it was given when it registered.
 */
export type Access = 'open' | 'viewer' | 'operator' | 'worker' | 'own-worker';

/**
 * Who may call an API: the same for every address that a controller listens at. Besides, each run has an operator token
 * for calls about itself, and a worker token that its own workers register with.
 */
export interface ApiAccess {
  /** `tokens`: each call needs one. `loopback`: every program of this machine may do everything. */
  readonly kind: 'tokens' | 'loopback';
  /** Undefined for a secret that is not known. */
  find(secret: string): TokenView | undefined;
  /** Where a caller gets a token, for the hint of a refusal. */
  readonly hint: string;
}

/** Who called, as far as the access rules know. */
export interface Caller {
  /** For the audit log: the id of a token, `run ID`, `worker ID` or `this machine`. */
  readonly id: string;
  /** The run whose own token it presented. */
  readonly runId?: string;
}

const LOCAL: Caller = { id: 'this machine' };

/** Every program of this machine may do everything. */
export const loopbackAccess: ApiAccess = { kind: 'loopback', find: () => undefined, hint: '' };

const rolesFor: Record<Exclude<Access, 'open' | 'own-worker'>, readonly Role[]> = {
  viewer: ['viewer', 'operator'],
  operator: ['operator'],
  worker: ['worker'],
};

export class AccessRules {
  constructor(
    private readonly access: ApiAccess,
    private readonly controller: Pick<Controller, 'runs' | 'registry'>,
  ) {}

  /** Whether web pages of other origins have only the Host header to betray them. */
  get isOpen(): boolean {
    return this.access.kind === 'loopback';
  }

  /**
   * @param id from the path: of a run, or for `own-worker` of a worker
   * @throws ApiError UNAUTHORIZED, FORBIDDEN
   */
  check(needed: Access, request: IncomingMessage, id: string): Caller {
    if (needed === 'open') return LOCAL;
    const secret = bearer(request);
    if (needed === 'own-worker') return this.checkWorker(secret, id);
    const run = secret === undefined ? undefined : this.runOf(needed === 'worker' ? 'worker' : 'operator', secret);
    // The token of a run is for its own workers, and for calls about this run.
    if (run !== undefined && (needed === 'worker' || (run === id && isAboutRun(request))))
      return { id: `run ${run}`, runId: run };
    if (this.isOpen) return LOCAL;
    if (secret === undefined) throw this.unauthorized('this call needs a token');
    const token = this.access.find(secret);
    if (token === undefined) throw this.unauthorized('the token is unknown');
    if (rolesFor[needed].includes(token.role)) return { id: token.id };
    throw new ApiError(
      403,
      'FORBIDDEN',
      `this call needs the role ${needed}, but the token has the role ${token.role}`,
      `Use a token of the role ${needed}. ${this.access.hint}`.trim(),
    );
  }

  /** Also on loopback, where other users of the machine could report in the name of a worker. */
  private checkWorker(secret: string | undefined, workerId: string): Caller {
    const problem = `this call needs the token that worker ${workerId} was given when it registered`;
    if (secret === undefined) throw this.unauthorized(problem);
    // After a restart of the controller, WORKER_NOT_FOUND makes a worker register again.
    const worker = this.controller.registry.get(workerId);
    if (!sameSecret(worker.token, secret)) throw this.unauthorized(problem);
    return { id: `worker ${workerId}` };
  }

  private runOf(role: 'worker' | 'operator', secret: string): string | undefined {
    return this.controller.runs().find(({ tokens }) => sameSecret(tokens[role], secret))?.id;
  }

  private unauthorized(message: string): ApiError {
    const hint = `Send \`Authorization: Bearer TOKEN\`. ${this.access.hint}`.trim();
    return new ApiError(401, 'UNAUTHORIZED', message, hint);
  }
}

function isAboutRun({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/runs/');
}

function bearer(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether an API bound to this host can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
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
