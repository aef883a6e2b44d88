import { type CallToolRequest, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { MODERN_REVISION } from '../../mcp/revisions.js';
import { type CreateOfficialClient, NO_TIMEOUT_MS, observe } from './official-client.js';

/** The stateless era: `@modelcontextprotocol/client` 2.x, pinned to the revision that preflight found. */
export const createOfficialClient: CreateOfficialClient = ({ url, headers, clientInfo, fetch, hooks }) => {
  const transport = new StreamableHTTPClientTransport(url, { fetch, requestInit: { headers: { ...headers } } });
  const client = new Client(clientInfo, { versionNegotiation: { mode: { pin: MODERN_REVISION } } });
  observe(transport, hooks);
  return {
    get sessionId() {
      return transport.sessionId;
    },
    connect: () => client.connect(transport, { timeout: NO_TIMEOUT_MS }),
    call(method, params, { headers: paramHeaders, signal, onresumptiontoken }) {
      const options = { headers: { ...paramHeaders }, signal, onresumptiontoken, timeout: NO_TIMEOUT_MS };
      // By `request`, so that one operation is one request: methods like `listTools` read all pages and answer from a
      // cache.
      return method === 'tools/call'
        ? client.callTool(params as CallToolRequest['params'], options)
        : client.request({ method, params }, options);
    },
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
};
