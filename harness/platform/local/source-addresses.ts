import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { CHEAP_CONNECTIONS } from '../../../scenarios/schema/offered-load.js';

/**
 * Connections from one address to one other. Beyond 7,000 the kernel searches long for a free port (measured: 1 to 2.5
 * ms per connect, 0.06 ms before).
 */
const PER_SOURCE = 6_000;
const MOST_SOURCES = 200;

/**
 * Spreads many connections to one loopback address over several source addresses: all of 127/8 is this machine. With 4
 * of them each connect up to 27,000 took 0.04 to 0.1 ms of processor time, without them 0.9 ms from 14,000 on.
 * @param connections to all endpoints together
 * @param addresses how many addresses the endpoints have
 */
export function withSourceAddresses(
  endpoints: readonly Endpoint[],
  connections: number,
  addresses: number,
  platform: NodeJS.Platform,
): readonly Endpoint[] {
  const each = Math.ceil(connections / Math.max(1, addresses));
  if (platform !== 'linux' || each <= CHEAP_CONNECTIONS) return endpoints;
  const sources = Array.from(
    { length: Math.min(MOST_SOURCES, Math.ceil(each / PER_SOURCE)) },
    (_, index) => `127.0.0.${index + 2}`,
  );
  return endpoints.map((endpoint) => (isLoopback(endpoint.url) ? { ...endpoint, sources } : endpoint));
}

/** By number only: a name may mean ::1, which cannot be reached from 127/8. */
export function isLoopback(url: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(new URL(url).hostname);
}
