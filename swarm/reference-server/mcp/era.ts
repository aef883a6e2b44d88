import type { IncomingHttpHeaders } from 'node:http';
import { classifyInboundRequest } from '@modelcontextprotocol/server';

export type ServedEra = 'both' | 'legacy' | 'modern';

/**
 * Which SDK answers this request. With both eras on one endpoint the SDK decides: by the claim in the body, or by the
 * version header where the body has none. A wrong claim is rejected by the modern side.
 */
export function eraOf(
  served: ServedEra,
  httpMethod: string,
  headers: IncomingHttpHeaders,
  body: unknown,
): 'legacy' | 'modern' {
  if (served !== 'both') return served;
  const version = single(headers['mcp-protocol-version']);
  const method = single(headers['mcp-method']);
  const name = single(headers['mcp-name']);
  const { kind } = classifyInboundRequest({
    httpMethod,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
    ...(body !== undefined && { body }),
  });
  return kind === 'legacy' ? 'legacy' : 'modern';
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
