import {
  createMcpHandler,
  type McpHttpHandler,
  type McpServer,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import type { Catalogue } from '../catalogue/catalogue.js';
import { prompts } from '../catalogue/prompts.js';
import { resourceTemplates } from '../catalogue/resources.js';
import { updateParams } from '../catalogue/topics.js';
import type { Inbound } from './inbound.js';
import type { LegacyServer } from './legacy-server.js';
import { serverName, serverVersion, signed } from './replica-meta.js';

/** Notifies clients that a list has changed. */
export type ListChanged = (kind: 'tools_list_changed' | 'prompts_list_changed') => void;

/** MCP servers to serve in place of the catalogue; endpoint, eras, sessions, streams and host check stay ours. */
export interface ServerFactory {
  modern(changed: ListChanged): McpServer;
  legacy(): LegacyServer;
}

/** Shared, because the SDK wants a new server for every request. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** Revision 2026-07-28, stateless, by SDK 2.x; `subscriptions/listen` streams carry the updates of topics. */
export class ModernEra {
  private readonly handler: McpHttpHandler;
  private readonly stopListening: () => void;

  /** @param servers to serve in place of the catalogue */
  constructor(catalogue: Catalogue, replica: string, answers: 'json' | 'sse', servers?: ServerFactory) {
    const changed: ListChanged = (kind) => this.handler.bus.publish({ kind });
    this.handler = createMcpHandler(() => servers?.modern(changed) ?? createModernServer(catalogue, replica), {
      legacy: 'reject',
      // auto: a JSON body unless the handler sends a notification before its result.
      responseMode: answers === 'sse' ? 'sse' : 'auto',
      maxSubscriptions: 100_000,
    });
    this.stopListening = catalogue.topics.listen((update) =>
      this.handler.bus.publish({ kind: 'resource_updated', uri: update.uri, params: updateParams(update) }),
    );
  }

  answer(request: Request, inbound: Inbound): Promise<Response> {
    return this.handler.fetch(request, inbound.body === undefined ? {} : { parsedBody: inbound.body });
  }

  close(): Promise<void> {
    this.stopListening();
    return this.handler.close();
  }
}

/** The catalogue behind SDK 2.x. */
export function createModernServer(catalogue: Catalogue, replica: string): Server {
  const server = new IdentifiedServer(replica);
  server.setRequestHandler('tools/list', ({ params }) => ({ ...catalogue.listTools(params?.cursor) }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    const result = await catalogue.call(params.name, params.arguments, {
      signal: mcpReq.signal,
      progress: async (progress, total) => {
        if (progressToken === undefined) return;
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
      },
    });
    return { ...result, content: [...result.content] };
  });
  server.setRequestHandler('resources/list', () => ({ resources: [...catalogue.resources()] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [...resourceTemplates] }));
  server.setRequestHandler('resources/read', ({ params }) => ({ contents: [catalogue.read(params.uri)] }));
  server.setRequestHandler('prompts/list', () => ({
    prompts: prompts.map((prompt) => ({ ...prompt, arguments: [...prompt.arguments] })),
  }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    const prompt = catalogue.prompt(params.name, params.arguments ?? {});
    return { ...prompt, messages: [...prompt.messages] };
  });
  return server;
}

type Handler = Parameters<Server['_wrapHandler']>[1];

/** Puts the replica into every result, also into those the SDK makes (server/discover). */
class IdentifiedServer extends Server {
  constructor(private readonly replica: string) {
    super(
      { name: serverName, version: serverVersion },
      { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {} }, jsonSchemaValidator },
    );
  }

  protected override _wrapHandler(method: string, handler: Handler): Handler {
    const wrapped = super._wrapHandler(method, handler);
    return async (request, context: ServerContext) => {
      const result = await wrapped(request, context);
      return signed(result, this.replica);
    };
  }
}
