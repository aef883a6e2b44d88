/** Load may be sent to this machine and private networks; anywhere else only when the user names the host. */
import { BlockList, isIP } from 'node:net';

const nearby = new BlockList();
nearby.addSubnet('127.0.0.0', 8, 'ipv4');
nearby.addSubnet('10.0.0.0', 8, 'ipv4');
nearby.addSubnet('172.16.0.0', 12, 'ipv4');
nearby.addSubnet('192.168.0.0', 16, 'ipv4');
nearby.addAddress('::1', 'ipv6');
nearby.addSubnet('fc00::', 7, 'ipv6');
nearby.addSubnet('fe80::', 10, 'ipv6');

/**
 * Names that cannot lead to the public internet: RFC 6761 (localhost), RFC 6762 (.local), ICANN's private-use
 * .internal. A bare name such as `server` is not among them: a search domain, or a top-level domain, may answer for it.
 */
const nearbyName = /(?:^|\.)localhost$|\.local$|\.internal$/;

/** @param hostname as `URL.hostname` gives it, IPv6 in brackets */
export function isAllowedHost(hostname: string, allowed: readonly string[]): boolean {
  const host = bare(hostname);
  const family = isIP(host);
  if (family !== 0 && nearby.check(host, family === 6 ? 'ipv6' : 'ipv4')) return true;
  if (family === 0 && nearbyName.test(host)) return true;
  return allowed.some((name) => bare(name) === host);
}

function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
