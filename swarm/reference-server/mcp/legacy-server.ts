import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  GetPromptRequestSchema,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import type { Catalogue } from '../catalogue/catalogue.js';
import { prompts } from '../catalogue/prompts.js';
import { resourceTemplates } from '../catalogue/resources.js';
import { updateParams } from '../catalogue/topics.js';
import { serverName, serverVersion, signed } from './replica-meta.js';

/** The server side of one session or one stateless exchange, whichever SDK makes it. */
export interface LegacyServer {
  onclose?: () => void;
  connect(transport: LegacyTransport): Promise<void>;
  close(): Promise<void>;
}

/** @param subscriptions of this session: uri to a function that ends it; kept up to date by the server */
export type LegacyServerFactory = (subscriptions: Map<string, () => void>) => LegacyServer;

/** Shared: the SDK would build an Ajv for each session, some hundred KiB, for elicitations that never happen. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/**
 * The catalogue behind SDK 1.x, for one session or one stateless exchange. The low-level `Server` and not `McpServer`:
 * the catalogue validates arguments itself, once.
 * @param subscriptions of this session: uri to a function that ends it; kept up to date here
 */
export function createLegacyServer(catalogue: Catalogue, subscriptions: Map<string, () => void>): Server {
  const server = new Server(
    { name: serverName, version: serverVersion },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {} }, jsonSchemaValidator },
  );
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => ({ ...catalogue.listTools(params?.cursor) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken;
    const result = await catalogue.call(params.name, params.arguments, {
      signal,
      progress: async (progress, total) => {
        if (progressToken === undefined) return;
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } });
      },
    });
    return { ...result, content: [...result.content] };
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [...catalogue.resources()] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [...resourceTemplates] }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => ({ contents: [catalogue.read(params.uri)] }));
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    catalogue.read(params.uri);
    if (!subscriptions.has(params.uri)) {
      subscriptions.set(
        params.uri,
        catalogue.topics.subscribe(params.uri, (update) => void server.sendResourceUpdated(updateParams(update))),
      );
    }
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscriptions.get(params.uri)?.();
    subscriptions.delete(params.uri);
    return {};
  });
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: prompts.map((prompt) => ({ ...prompt, arguments: [...prompt.arguments] })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = catalogue.prompt(params.name, params.arguments ?? {});
    return { ...prompt, messages: [...prompt.messages] };
  });
  return server;
}

/** The SDK's transport, putting the replica into every result, also into those that the SDK makes (initialize). */
export class LegacyTransport extends WebStandardStreamableHTTPServerTransport {
  constructor(
    private readonly replica: string,
    options: WebStandardStreamableHTTPServerTransportOptions,
  ) {
    super(options);
  }

  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (isJSONRPCResultResponse(message)) message.result = signed(message.result, this.replica);
    return super.send(
      message,
      options?.relatedRequestId === undefined ? {} : { relatedRequestId: options.relatedRequestId },
    );
  }
}
