import type { Endpoint } from '../protocol/messages.js';

/**
 * The endpoint as each of its tokens makes it, in their order; only itself where it has none. A token is one more
 * header from here on, so that whatever hides headers hides it.
 */
export function tokenEndpoints({ tokens, ...endpoint }: Endpoint): readonly Endpoint[] {
  return tokens === undefined
    ? [endpoint]
    : tokens.map((token) => ({ ...endpoint, headers: { ...endpoint.headers, authorization: `Bearer ${token}` } }));
}
