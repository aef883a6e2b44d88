import type { IncomingHttpHeaders } from 'node:http';
import { localhostAllowedHostnames, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';

/** `Host` headers known to be right: so many are remembered, since each costs the parsing of a URL otherwise. */
const REMEMBERED = 64;

/**
 * Whether a request was meant for this server. A page whose name was made to resolve to this machine (DNS rebinding)
 * asks with that name in `Host` and `Origin`, and a server on loopback has no other protection against it.
 */
export class HostGuard {
  private readonly allowed: string[] | undefined;
  private readonly known = new Set<string>();

  /**
   * @param listening where the server listens; on loopback only loopback's names are taken unless others are named
   * @param named host names without ports, in addition; `*`: any
   */
  constructor(listening: string, named: readonly string[]) {
    if (named.includes('*') || (named.length === 0 && !isLoopback(listening))) this.allowed = undefined;
    else
      this.allowed = [
        ...named.map((name) => name.toLowerCase()),
        ...localhostAllowedHostnames(),
        ...(isLoopback(listening) ? [bracketed(listening)] : []),
      ];
  }

  /** @returns why the request is refused, in words; undefined: it is not */
  refusal({ host, origin }: IncomingHttpHeaders): string | undefined {
    if (this.allowed === undefined) return undefined;
    if (host === undefined || !this.known.has(host)) {
      const verdict = validateHostHeader(host, this.allowed);
      if (!verdict.ok) return this.words(verdict.message);
      if (host !== undefined && this.known.size < REMEMBERED) this.known.add(host);
    }
    if (origin === undefined) return undefined;
    const verdict = validateOriginHeader(origin, this.allowed);
    return verdict.ok ? undefined : this.words(verdict.message);
  }

  private words(message: string): string {
    return `${message}. This server answers to ${[...new Set(this.allowed)].join(', ')}; others: --allowed-host NAME`;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
