/**
 * A server that is not ours: of the official SDK, as its users build it. A program: `sdk-server.js stdio`, or
 * `sdk-server.js http` with `/mcp` (sessions) and `/sse`, with TLS where TLS_CERT and TLS_KEY name files. Each tool
 * call adds the name of the tool as a line to the file CALLS.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const text = { type: 'string' };
const noArguments = { type: 'object' as const };

const tools = [
  {
    name: 'search',
    description: 'Finds what fits the query.',
    inputSchema: {
      type: 'object' as const,
      properties: { query: text, page: { type: 'integer' } },
      required: ['query'],
    },
    annotations: { readOnlyHint: true },
  },
  { name: 'note', inputSchema: noArguments, annotations: { readOnlyHint: false, destructiveHint: false } },
  { name: 'unsaid', inputSchema: noArguments },
  { name: 'wipe', inputSchema: noArguments, annotations: { destructiveHint: true } },
  // Not read-only, and nothing else: destructive, as MCP has it.
  { name: 'write', inputSchema: noArguments, annotations: { readOnlyHint: false } },
  {
    name: 'coded',
    inputSchema: {
      type: 'object' as const,
      properties: { code: { type: 'string', pattern: '^x+$' } },
      required: ['code'],
    },
  },
  { name: 'broken', inputSchema: noArguments },
];

function createServer(): Server {
  const server = new Server(
    { name: 'of-the-sdk', version: '1.2.3' },
    { capabilities: { tools: {} }, instructions: 'Search first.' },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    if (process.env.CALLS !== undefined) appendFileSync(process.env.CALLS, `${params.name}\n`);
    const isError = params.name === 'broken';
    return { content: [{ type: 'text', text: JSON.stringify(params.arguments ?? {}) }], isError };
  });
  return server;
}

function serveHttp(): void {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const streams = new Map<string, SSEServerTransport>();

  async function onMcp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (id !== undefined && known === undefined) return void response.writeHead(404).end();
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    });
    await createServer().connect(transport as Transport);
    await transport.handleRequest(request, response);
  }

  async function onSse(response: ServerResponse): Promise<void> {
    const transport = new SSEServerTransport('/messages', response);
    streams.set(transport.sessionId, transport);
    response.once('close', () => streams.delete(transport.sessionId));
    await createServer().connect(transport);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/mcp') return onMcp(request, response);
    if (pathname === '/sse' && request.method === 'GET') return onSse(response);
    const stream = pathname === '/messages' ? streams.get(searchParams.get('sessionId') ?? '') : undefined;
    if (stream === undefined) return void response.writeHead(404).end('there is nothing here');
    await stream.handlePostMessage(request, response);
  }

  const { TLS_CERT, TLS_KEY } = process.env;
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const isSecure = TLS_CERT !== undefined && TLS_KEY !== undefined;
  const server = isSecure
    ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, listener)
    : http.createServer(listener);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    const url = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}/mcp`;
    process.stdout.write(`${JSON.stringify({ listening: { url } })}\n`);
  });
}

if (process.argv[2] === 'stdio') await createServer().connect(new StdioServerTransport());
else serveHttp();
