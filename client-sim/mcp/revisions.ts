/** The protocol revisions that the load client supports (modelcontextprotocol.io/specification). */

/** Session era, newest first: the handshake offers the first and accepts any of them. */
export const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

/** Stateless era. */
export const MODERN_REVISION = '2026-07-28';

/** The client's name in `initialize` and in every request of the stateless era. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

export const CLIENT_INFO: ClientInfo = { name: 'swarmbench', version: '0.1.0' };

/** The `_meta` of every request of the stateless era. */
export function metaEnvelope(version: string, clientInfo: ClientInfo): Record<string, unknown> {
  return {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: clientInfo.name, version: clientInfo.version },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
}
