import { metaEnvelope, type ClientInfo } from '../../mcp/revisions.js';
import type { Endpoint } from '../../protocol/messages.js';
import { requestBytes, type RequestKind } from '../request-head.js';

type Settled = Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;

/** GET of the session era's stream (2025-11-25, "Listening for Messages from the Server"). @param lastEventId '': from now on */
export function getStream(endpoint: Endpoint, settled: Settled, lastEventId: string): Buffer {
  const headers = lastEventId === '' ? endpoint.headers : { ...endpoint.headers, 'last-event-id': lastEventId };
  return requestBytes({ url: endpoint.url, headers: { accept: 'text/event-stream', ...headers } }, 'legacy', { verb: 'GET', ...settled }, '');
}

/** `subscriptions/listen` of the stateless era (2026-07-28): one long answer. */
export function listenStream(endpoint: Endpoint, settled: Settled, id: number, uris: readonly string[], clientInfo: ClientInfo): Buffer {
  const method = 'subscriptions/listen';
  const params = { notifications: { resourceSubscriptions: uris }, _meta: metaEnvelope(settled.version ?? '', clientInfo) };
  return requestBytes(endpoint, 'modern', { verb: 'POST', method, ...settled }, JSON.stringify({ jsonrpc: '2.0', id, method, params }));
}

export function subscribeMessage(id: number, uri: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'resources/subscribe', params: { uri } });
}

export function cancelledMessage(requestId: number): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason: 'timeout' } });
}
