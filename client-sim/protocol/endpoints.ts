import type { TargetPlan } from '../../scenarios/schema/plan.js';
import { canReach, type TransportName } from '../../scenarios/schema/transports.js';
import type { Endpoint } from './messages.js';

/**
 * Where clients of this transport go, in the order of allocation: endpoints made for it, and those for any transport of
 * their scheme.
 */
export function endpointsFor(endpoints: readonly Endpoint[], transport: TransportName): readonly Endpoint[] {
  return endpoints.filter((endpoint) =>
    endpoint.transport === undefined ? canReach(transport, endpoint.url) : endpoint.transport === transport,
  );
}

/** A server that each session starts for itself. */
export function commandEndpoint({ server }: Extract<TargetPlan, { kind: 'command' }>): Endpoint {
  return { url: 'stdio://localhost', headers: {}, transport: 'stdio', server };
}

/** A server that somebody else runs, as workers are told of it; with everything secret that goes with it. */
export function urlEndpoints({
  urls,
  headers,
  tls,
  tokens,
}: Extract<TargetPlan, { kind: 'url' }>): readonly Endpoint[] {
  return urls.map((url) => ({
    url,
    headers,
    ...(tls === undefined ? {} : { tls }),
    ...(tokens === undefined ? {} : { tokens }),
  }));
}

/**
 * The endpoint as each of its source addresses makes it, in their order: from there all connections to it go. Only
 * itself where it has none.
 */
export function sourceEndpoints(endpoint: Endpoint): readonly Endpoint[] {
  const { sources } = endpoint;
  return sources === undefined ? [endpoint] : sources.map((source) => ({ ...endpoint, sources: [source] }));
}

/**
 * The endpoint as each of its tokens makes it, in their order; only itself where it has none. A token is one more
 * header from here on, so that whatever hides headers hides it.
 */
export function tokenEndpoints({ tokens, ...endpoint }: Endpoint): readonly Endpoint[] {
  return tokens === undefined
    ? [endpoint]
    : tokens.map((token) => ({ ...endpoint, headers: { ...endpoint.headers, authorization: `Bearer ${token}` } }));
}
