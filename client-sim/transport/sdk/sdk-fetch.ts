import { type Dispatcher, fetch as undiciFetch } from 'undici';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import { Exchange, type ExchangeOwner } from './exchange.js';

export interface SdkFetchOwner extends ExchangeOwner {
  /** A request is about to leave. @returns false: it is no longer wanted */
  onStart(exchange: Exchange): boolean;
  /** Whether a call still waits for what would follow this event on its stream. */
  wantsResumed(lastEventId: string): boolean;
  /** The longest answer that is read. */
  readonly answerBytes: number;
  /** For the `cookie` header. */
  readonly cookie: string | undefined;
}

/**
 * The fetch that an SDK's transport uses, as its options allow: observed, over the session's own connections. Each
 * request has a signal of its own. The SDKs give all requests of a session the signal of their transport, and each
 * leaves listeners on it: a warning and memory for every call after the first thousand and a half (Node 20 and 22).
 */
export function sdkFetch(dispatcher: Dispatcher, owner: SdkFetchOwner): typeof fetch {
  return async (input, init = {}) => {
    const headers = new Headers(init.headers);
    // As in our own transports: compressed answers cannot be compared.
    headers.set('accept-encoding', 'identity');
    // Our own name, as in all transports and as samples show it.
    if (!headers.has('user-agent')) headers.set('user-agent', `${CLIENT_INFO.name}/${CLIENT_INFO.version}`);
    const { cookie } = owner;
    const own = headers.get('cookie');
    if (cookie !== undefined) headers.set('cookie', own === null ? cookie : `${own}; ${cookie}`);
    const lastEventId = headers.get('last-event-id');
    // As if the server had no such stream: the SDK accepts that and stops asking.
    if (lastEventId !== null && !owner.wantsResumed(lastEventId)) return new Response(null, { status: 405 });
    const text = typeof init.body === 'string' ? init.body : '';
    const exchange = new Exchange(owner, init.method ?? 'GET', text, headers.has('mcp-session-id'), owner.answerBytes);
    if (!owner.onStart(exchange)) throw new DOMException('this request is no longer wanted', 'AbortError');
    const options = {
      method: exchange.verb,
      headers,
      body: init.body,
      redirect: init.redirect,
      signal: exchange.abort.signal,
      dispatcher: exchange.dispatcherOver(dispatcher),
    };
    // Node and the library declare the same interface under different names.
    return (await undiciFetch(
      input as string | URL,
      options as Parameters<typeof undiciFetch>[1],
    )) as unknown as Response;
  };
}
