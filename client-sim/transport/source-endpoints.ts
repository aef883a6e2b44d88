import type { Endpoint } from '../protocol/messages.js';

/**
 * The endpoint as each of its source addresses makes it, in their order: from there all connections to it go. Only
 * itself where it has none.
 */
export function sourceEndpoints(endpoint: Endpoint): readonly Endpoint[] {
  const { sources } = endpoint;
  return sources === undefined ? [endpoint] : sources.map((source) => ({ ...endpoint, sources: [source] }));
}
