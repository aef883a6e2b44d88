import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  type CallToolRequest,
  type ClientRequest,
  EmptyResultSchema,
  GetPromptResultSchema,
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListToolsResultSchema,
  ReadResourceResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import { type CreateOfficialClient, NO_TIMEOUT_MS, observe } from './official-client.js';

/**
 * The schemas by which the SDK checks results. Lists are requested by `request`, not by methods like `listTools`, which
 * compiles the schema of every tool.
 */
const results = {
  'resources/read': ReadResourceResultSchema,
  'prompts/get': GetPromptResultSchema,
  ping: EmptyResultSchema,
  'tools/list': ListToolsResultSchema,
  'resources/list': ListResourcesResultSchema,
  'prompts/list': ListPromptsResultSchema,
  'resources/subscribe': EmptyResultSchema,
} as const satisfies Record<Exclude<OperationPlan['method'], 'tools/call'>, unknown>;

/** The session era: `@modelcontextprotocol/sdk` 1.x. */
export const createOfficialClient: CreateOfficialClient = ({ url, headers, clientInfo, fetch, hooks }) => {
  const transport = new StreamableHTTPClientTransport(url, { fetch, requestInit: { headers: { ...headers } } });
  const client = new Client(clientInfo);
  observe(transport, hooks);
  return {
    get sessionId() {
      return transport.sessionId;
    },
    // The SDK's class declares sessionId as possibly undefined, its interface as absent: not assignable at our
    // strictness.
    connect: () => client.connect(transport as Parameters<Client['connect']>[0], { timeout: NO_TIMEOUT_MS }),
    call(method, params, { signal, onresumptiontoken }) {
      const options = { signal, onresumptiontoken, timeout: NO_TIMEOUT_MS };
      if (method === 'tools/call') return client.callTool(params as CallToolRequest['params'], undefined, options);
      return client.request({ method, params } as ClientRequest, results[method], options);
    },
    terminate: () => transport.terminateSession(),
    close: () => client.close(),
  };
};
