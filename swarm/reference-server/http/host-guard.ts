import type { IncomingHttpHeaders } from 'node:http';
import { localhostAllowedHostnames, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';

/** How many valid `Host` headers are remembered: checking one again costs the parsing of a URL. */
const REMEMBERED = 64;

/**
 * Refuses requests that were meant for another host. In DNS rebinding, a page makes its own name resolve to this
 * machine; its requests carry that name in `Host` and `Origin`. A server on loopback has no other protection.
 */
export class HostGuard {
  private readonly allowed: string[] | undefined;
  private readonly known = new Set<string>();

  /**
   * @param host the address the server listens on; on loopback only the names of loopback are accepted by default
   * @param named more host names to accept, without ports; `*`: any
   */
  constructor(host: string, named: readonly string[]) {
    if (named.includes('*') || (named.length === 0 && !isLoopback(host))) this.allowed = undefined;
    else
      this.allowed = [
        ...named.map((name) => name.toLowerCase()),
        ...localhostAllowedHostnames(),
        ...(isLoopback(host) ? [bracketed(host)] : []),
      ];
  }

  /** @returns why the request is refused; undefined when it is not */
  refusal({ host, origin }: IncomingHttpHeaders): string | undefined {
    if (this.allowed === undefined) return undefined;
    if (host === undefined || !this.known.has(host)) {
      const verdict = validateHostHeader(host, this.allowed);
      if (!verdict.ok) return this.refusalText(verdict.message);
      if (host !== undefined && this.known.size < REMEMBERED) this.known.add(host);
    }
    if (origin === undefined) return undefined;
    const verdict = validateOriginHeader(origin, this.allowed);
    return verdict.ok ? undefined : this.refusalText(verdict.message);
  }

  private refusalText(message: string): string {
    return `${message}. This server answers to ${[...new Set(this.allowed)].join(', ')}; others: --allowed-host NAME`;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
