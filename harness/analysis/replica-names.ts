import type { Replica } from '../platform/platform.js';

/**
 * What a replica is called in a report, by what answers call it: the server its own name (in a container mostly the
 * host name), the gateway its address. A name that none of the run's replicas goes by stays what it is.
 */
export function replicaNamer(replicas: readonly Replica[]): (wire: string) => string {
  const ids = new Map<string, string>();
  for (const { id, host, url } of replicas) {
    const { hostname, host: address } = new URL(url);
    for (const alias of [hostname, address, host, id]) if (alias !== undefined) ids.set(alias, id);
  }
  // Replicas of one machine share its address: then the port tells them apart, and the address alone tells nothing.
  const addresses = [...new Set(replicas.map(({ url }) => new URL(url).host))].map((host) => host.replace(/:\d+$/, ''));
  for (const hostname of addresses.filter((one, at) => addresses.indexOf(one) !== at))
    if (!replicas.some(({ id, host }) => id === hostname || host === hostname)) ids.delete(hostname);
  return (wire) => ids.get(wire) ?? wire;
}
