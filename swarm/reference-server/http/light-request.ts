import type { IncomingMessage } from 'node:http';

/**
 * A `Request` without a body for the SDKs, which are given the parsed one and read only method, url, headers and
 * signal. Constructing a real one costs a stream and an abort controller, a tenth of what a call costs in all; the
 * SDKs' own Node adapter (`@hono/node-server`) stands on the same trick.
 * @param signal made only when asked for
 */
export function lightRequest({ method, rawHeaders }: IncomingMessage, signal: () => AbortSignal): Request {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  const properties = {
    method: { value: method ?? 'GET' },
    url: { value: 'http://localhost/mcp' },
    headers: { value: new Headers(pairs) },
    signal: { get: signal },
  } satisfies { readonly [Property in keyof Request]?: PropertyDescriptor };
  const request: Request = Object.create(Request.prototype, properties);
  return request;
}
