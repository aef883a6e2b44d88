import type { TargetPlan } from '../../scenarios/schema/plan.js';
import { shownUrl } from '../../scenarios/schema/redact.js';
import { canReach, type TransportName } from '../../scenarios/schema/transports.js';
import type { Endpoint } from './messages.js';

/**
 * The endpoints that clients of this transport use, in the order of allocation: those for this transport, and those for
 * any transport with their scheme.
 */
export function endpointsFor(endpoints: readonly Endpoint[], transport: TransportName): readonly Endpoint[] {
  return endpoints.filter((endpoint) =>
    endpoint.transport === undefined ? canReach(transport, endpoint.url) : endpoint.transport === transport,
  );
}

/** The endpoint of a server that each session starts for itself. */
export function commandEndpoint({ server }: Extract<TargetPlan, { kind: 'command' }>): Endpoint {
  return { url: 'stdio://localhost', headers: {}, transport: 'stdio', server };
}

/** A name in telemetry is not longer. */
const LONGEST_NAME = 128;

/**
 * The endpoints of a server that is already running, with their secrets. Of several URLs, the report says what each
 * did, unless the servers name themselves.
 */
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
    ...(urls.length < 2 ? {} : { replica: shownUrl(url).slice(0, LONGEST_NAME) }),
  }));
}

/**
 * One endpoint for each source address, in their order, all of whose connections come from that address; the endpoint
 * itself if it has none.
 */
export function sourceEndpoints(endpoint: Endpoint): readonly Endpoint[] {
  const { sources } = endpoint;
  return sources === undefined ? [endpoint] : sources.map((source) => ({ ...endpoint, sources: [source] }));
}

/**
 * One endpoint for each token, in their order; the endpoint itself if it has none. The token becomes a header, so that
 * it is redacted like any other.
 */
export function tokenEndpoints({ tokens, ...endpoint }: Endpoint): readonly Endpoint[] {
  return tokens === undefined
    ? [endpoint]
    : tokens.map((token) => ({ ...endpoint, headers: { ...endpoint.headers, authorization: `Bearer ${token}` } }));
}
