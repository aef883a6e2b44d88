import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Reaction = 'answer' | 'silence' | 'reset' | 'error500' | 'toolError' | 'forget' | 'late';

export interface McpServerOptions {
  readonly era: 'legacy' | 'modern';
  /** How it reacts to a tool call, by the number of the call from 0. */
  readonly react?: (call: number) => Reaction;
  readonly token?: string;
  /** Input schemas of its tools, by name. Default: `echo` and `slow`, which accept any arguments. */
  readonly tools?: Readonly<Record<string, unknown>>;
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown> };
}

const anyTools = { echo: { type: 'object' }, slow: { type: 'object' } };

/** A small MCP server over node:http for both eras. It counts exactly what it answered and records the requests. */
export class McpServer {
  answered = 0;
  calls = 0;
  readonly sessions = new Set<string>();
  sessionsOpened = 0;
  sessionsDeleted = 0;
  connections = 0;
  /** `name arguments` of every call, in order of arrival. */
  readonly asked: string[] = [];
  /** The headers of every message, in order of arrival. */
  readonly headers: IncomingHttpHeaders[] = [];

  private constructor(
    private readonly server: Server,
    private readonly options: McpServerOptions,
  ) {}

  static async start(options: McpServerOptions): Promise<McpServer> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const mcp = new McpServer(server, options);
    server.on('connection', () => mcp.connections++);
    server.on('request', (request, response) => void mcp.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return mcp;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/mcp`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client gave up in the middle of its request.
      return;
    }
    if (this.options.token !== undefined && request.headers.authorization !== `Bearer ${this.options.token}`) {
      response.writeHead(401).end();
      return;
    }
    const session = request.headers['mcp-session-id'];
    if (request.method === 'DELETE') {
      if (typeof session === 'string' && this.sessions.delete(session)) this.sessionsDeleted++;
      response.writeHead(200).end();
      return;
    }
    this.headers.push(request.headers);
    this.message(
      JSON.parse(Buffer.concat(chunks).toString('utf8')) as Message,
      typeof session === 'string' ? session : undefined,
      response,
    );
  }

  private message(message: Message, session: string | undefined, response: ServerResponse): void {
    const modern = this.options.era === 'modern';
    if (message.method === 'initialize' && !modern) return this.initialize(message, response);
    if (!modern && (session === undefined || !this.sessions.has(session))) {
      // A client that probes the era with server/discover comes here too: a session-era server refuses it like this.
      this.send(
        response,
        session === undefined ? 400 : 404,
        { error: { code: session === undefined ? -32000 : -32001, message: 'no such session' } },
        message,
      );
      return;
    }
    switch (message.method) {
      case 'server/discover':
        return this.send(
          response,
          200,
          { result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ...this.complete() } },
          message,
        );
      case 'tools/list':
        return this.send(
          response,
          200,
          {
            result: {
              tools: Object.entries(this.options.tools ?? anyTools).map(([name, inputSchema]) => ({
                name,
                inputSchema,
              })),
              ...this.complete(),
            },
          },
          message,
        );
      case 'tools/call':
        return this.call(message, session, response);
      default:
        if (message.id === undefined) response.writeHead(202).end();
        else this.send(response, modern ? 404 : 200, { error: { code: -32601, message: 'Method not found' } }, message);
    }
  }

  private initialize(message: Message, response: ServerResponse): void {
    const session = `session-${++this.sessionsOpened}`;
    this.sessions.add(session);
    response.setHeader('mcp-session-id', session);
    this.send(
      response,
      200,
      {
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'test', version: '1' },
        },
      },
      message,
    );
  }

  private call(message: Message, session: string | undefined, response: ServerResponse): void {
    const number = this.calls++;
    this.asked.push(`${message.params?.name} ${JSON.stringify(message.params?.arguments ?? {})}`);
    switch (this.options.react?.(number) ?? 'answer') {
      case 'silence':
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'error500':
        response.writeHead(500).end('broken');
        return;
      case 'forget':
        if (session !== undefined) this.sessions.delete(session);
        this.send(response, 404, { error: { code: -32001, message: 'no such session' } }, message);
        return;
      case 'toolError':
        this.answered++;
        this.send(response, 200, { result: { content: [], isError: true, ...this.complete() } }, message);
        return;
      case 'late':
        setTimeout(() => this.answer(message, response), 30);
        return;
      case 'answer':
        this.answer(message, response);
        return;
    }
  }

  private answer(message: Message, response: ServerResponse): void {
    this.answered++;
    this.send(response, 200, { result: { content: [{ type: 'text', text: 'ok' }], ...this.complete() } }, message);
  }

  private complete(): Record<string, unknown> {
    return this.options.era === 'modern' ? { resultType: 'complete' } : {};
  }

  private send(response: ServerResponse, status: number, body: Record<string, unknown>, message: Message): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, ...body }));
  }
}
