import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { EventRing } from '../../swarm/reference-server/mcp/event-ring.js';
import { onTestEnd } from '../support/test-end.js';
import { until } from '../support/until.js';

export const pollingTools = ['plain', 'close', 'cut'] as const;
type Tool = (typeof pollingTools)[number];

interface PollingServer {
  readonly url: string;
  /** Calls by tool, the preflight's included. */
  readonly calls: Readonly<Record<Tool, number>>;
  /** GETs with `Last-Event-ID`. */
  readonly resumptions: number;
}

/** How long clients are asked to wait, and how long an answer takes after its stream is gone. */
export const pollingRetryMs = 60;
const workMs = 20;

/**
 * A server of the official SDK with an event store. Its tools answer on event streams: `plain` at once; `close` ends
 * the stream in good order and has its answer later (SEP-1699), `cut` loses the connection first. It ends with the
 * test.
 */
export async function startPollingServer(): Promise<PollingServer> {
  const calls: Record<Tool, number> = { plain: 0, close: 0, cut: 0 };
  let resumptions = 0;
  const transports = new Map<string, StreamableHTTPServerTransport>();
  /** Of requests under way, by session and id; and those of them of whose answer something has been written. */
  const responses = new Map<string, ServerResponse>();
  const begun = new Set<string>();

  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      retryInterval: pollingRetryMs,
      eventStore: new EventRing(10_000, { replayed: () => undefined, forgotten: () => undefined }),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    const server = new Server({ name: 'polling', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: pollingTools.map((name) => ({ name, inputSchema: { type: 'object' as const } })),
    }));
    server.setRequestHandler(CallToolRequestSchema, async ({ params }, { requestId, closeSSEStream }) => {
      const tool = params.name as Tool;
      calls[tool] += 1;
      if (tool !== 'plain') {
        const key = `${transport.sessionId}/${requestId}`;
        // Without its first event a stream cannot be resumed.
        await until('the first event', () => begun.has(key));
        await setTimeout(workMs);
        if (tool === 'close') closeSSEStream?.();
        else responses.get(key)?.socket?.destroy();
        await setTimeout(workMs);
      }
      return { content: [{ type: 'text', text: `${tool} ${requestId}` }] };
    });
    await server.connect(transport as Transport);
    return transport;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const session = request.headers['mcp-session-id'];
    if (request.headers['last-event-id'] !== undefined) resumptions += 1;
    const body = await read(request);
    const known = typeof session === 'string' ? transports.get(session) : undefined;
    if (session !== undefined && known === undefined) return void response.writeHead(404).end();
    const key = `${String(session)}/${idOf(body)}`;
    responses.set(key, response);
    response.once('close', () => {
      responses.delete(key);
      begun.delete(key);
    });
    response.write = new Proxy(response.write, {
      apply(write, self, args) {
        begun.add(key);
        return Reflect.apply(write, self, args) as boolean;
      },
    });
    await (known ?? (await open())).handleRequest(request, response, body);
  };

  const listener = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    await Promise.all([...transports.values()].map((transport) => transport.close()));
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/mcp`,
    calls,
    get resumptions() {
      return resumptions;
    },
  };
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown);
}

function idOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : '';
}
