import type { IncomingMessage } from 'node:http';
import { ApiError } from './errors.js';

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
