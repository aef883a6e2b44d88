import { type ClientInfo, metaEnvelope } from '../mcp/revisions.js';
import type { Endpoint } from '../protocol/messages.js';
import { requestBytes, type SessionHeaders } from './request-head.js';

/**
 * GET of the session era's stream (2025-11-25, "Listening for Messages from the Server").
 * @param lastEventId '': from now on
 */
export function getStream(endpoint: Endpoint, sessionHeaders: SessionHeaders, lastEventId: string): Buffer {
  const headers = lastEventId === '' ? endpoint.headers : { ...endpoint.headers, 'last-event-id': lastEventId };
  return requestBytes(
    { url: endpoint.url, headers: { accept: 'text/event-stream', ...headers } },
    'legacy',
    { verb: 'GET', ...sessionHeaders },
    '',
  );
}

const LISTEN = 'subscriptions/listen';

/** `subscriptions/listen` of the stateless era (2026-07-28): one long answer. */
export function listenStream(
  endpoint: Endpoint,
  sessionHeaders: SessionHeaders,
  id: number,
  uris: readonly string[],
  clientInfo: ClientInfo,
): Buffer {
  return requestBytes(
    endpoint,
    'modern',
    { verb: 'POST', method: LISTEN, ...sessionHeaders },
    listenMessage(id, uris, sessionHeaders.version ?? '', clientInfo),
  );
}

/** The same for transports that send messages without HTTP around them. */
export function listenMessage(id: number, uris: readonly string[], version: string, clientInfo: ClientInfo): string {
  const params = { notifications: { resourceSubscriptions: uris }, _meta: metaEnvelope(version, clientInfo) };
  return JSON.stringify({ jsonrpc: '2.0', id, method: LISTEN, params });
}

export function subscribeMessage(id: number, uri: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'resources/subscribe', params: { uri } });
}

export function unsubscribeMessage(id: number, uri: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'resources/unsubscribe', params: { uri } });
}

export function cancelledMessage(requestId: number, reason = 'timeout'): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } });
}

/**
 * A load client's answer to a request of the server: it is alive (`ping`), and supports nothing else (sampling,
 * elicitation, roots), since it announced no capabilities.
 */
export function answerServerRequest(request: Record<string, unknown>): string {
  const { id, method } = request;
  if (method === 'ping') return JSON.stringify({ jsonrpc: '2.0', id, result: {} });
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
}
