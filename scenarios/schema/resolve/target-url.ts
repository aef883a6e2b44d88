import { BlockList, isIP } from 'node:net';
import { type Position, problemAt } from '../../yaml/problem.js';
import { shownUrl } from '../redact.js';
import type { ReportProblem } from '../source-part.js';
import { knownSchemes } from '../transports.js';

/** A URL as it was written, with the place it came from. */
export interface WrittenUrl {
  readonly text: string;
  readonly at: Position;
  readonly path: string;
}

/** @returns the normalised url, or undefined when it cannot or must not be put under load, which is reported */
export function checkUrl(url: WrittenUrl, allowed: readonly string[], refuse: ReportProblem): string | undefined {
  const { at, path, text } = url;
  const example = 'such as http://localhost:3000/mcp';
  if (!URL.canParse(text)) {
    refuse(problemAt(at, 'INVALID_VALUE', path, `\`${shownUrl(text)}\` is not a url`, example));
    return undefined;
  }
  const parsed = new URL(text);
  if (!knownSchemes().includes(parsed.protocol)) {
    refuse(
      problemAt(
        at,
        'INVALID_VALUE',
        path,
        `\`${parsed.protocol}\` is not the scheme of a transport: they are ${knownSchemes().join(' ')}`,
        example,
      ),
    );
    return undefined;
  }
  if (parsed.protocol === 'tcp:') return checkTcp(url, parsed, allowed, refuse);
  if (parsed.username !== '' || parsed.password !== '') {
    refuse(
      problemAt(
        at,
        'INVALID_VALUE',
        path,
        'the url has a user name or password in it',
        "use --header 'Authorization: ...' instead",
      ),
    );
    return undefined;
  }
  if (!checkHost(url, parsed.hostname, allowed, refuse)) return undefined;
  parsed.hash = '';
  return parsed.href;
}

/** A tcp url has a host and a port only. The host is parsed as in an http url, which knows all ways to write one. */
function checkTcp(
  url: WrittenUrl,
  { port, host, href }: URL,
  allowed: readonly string[],
  refuse: ReportProblem,
): string | undefined {
  const { at, path, text } = url;
  const web = `http://${host}/`;
  if (!URL.canParse(web) || port === '' || !/^tcp:\/\/[^/?#@]+\/?$/.test(href)) {
    refuse(
      problemAt(at, 'INVALID_VALUE', path, `\`${text}\` is not a host and a port`, 'such as tcp://localhost:5555'),
    );
    return undefined;
  }
  const { hostname } = new URL(web);
  return checkHost(url, hostname, allowed, refuse) ? `tcp://${hostname}:${port}` : undefined;
}

function checkHost(
  { at, path }: WrittenUrl,
  hostname: string,
  allowed: readonly string[],
  refuse: ReportProblem,
): boolean {
  if (isAllowedHost(hostname, allowed)) return true;
  const message = `${hostname} is neither this machine nor in a private network, so it must be allowed explicitly`;
  refuse(problemAt(at, 'TARGET_NOT_ALLOWED', path, message, `if you may put load on it: --allow-target ${hostname}`));
  return false;
}

/** Load may be sent to this machine and private networks. The user must allow any other host by name. */
const nearby = new BlockList();
nearby.addSubnet('127.0.0.0', 8, 'ipv4');
nearby.addSubnet('10.0.0.0', 8, 'ipv4');
nearby.addSubnet('172.16.0.0', 12, 'ipv4');
nearby.addSubnet('192.168.0.0', 16, 'ipv4');
nearby.addAddress('::1', 'ipv6');
nearby.addSubnet('fc00::', 7, 'ipv6');
nearby.addSubnet('fe80::', 10, 'ipv6');

/**
 * Names that cannot lead to the public internet: localhost (RFC 6761), .local (RFC 6762) and .internal, which ICANN
 * reserves for private use. A bare name such as `server` can: a search domain or a top-level domain may answer for it.
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
