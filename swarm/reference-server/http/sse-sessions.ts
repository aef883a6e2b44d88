import type { IncomingMessage, ServerResponse } from 'node:http';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { isJSONRPCResultResponse, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import { messagesPath } from '../endpoints.js';
import { createLegacyServer } from '../mcp/legacy-server.js';
import { type MessageObserver, PendingRequests } from '../mcp/pending-requests.js';
import { replicaHeader, signed } from '../mcp/replica-meta.js';
import type { SessionObserver } from '../mcp/session-table.js';
import { readJsonBody } from './exchange.js';

interface SseSessionsParts extends MessageObserver {
  readonly replica: string;
  readonly maxSessions: number;
  readonly sessions: Pick<SessionObserver, 'sessionOpened' | 'sessionClosed'>;
}

/** HTTP+SSE (2024-11-05) by SDK 1.x: a session is a GET of `/sse`, and lasts as long as its stream. */
export class SseSessions {
  private readonly openSessions = new Map<string, CountingTransport>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly parts: SseSessionsParts,
  ) {}

  get size(): number {
    return this.openSessions.size;
  }

  has(id: string): boolean {
    return this.openSessions.has(id);
  }

  async open(outgoing: ServerResponse): Promise<void> {
    const { maxSessions, sessions, replica } = this.parts;
    if (this.openSessions.size >= maxSessions)
      return void outgoing.writeHead(503, { 'retry-after': '1', [replicaHeader]: replica }).end('Too many sessions');
    const subscriptions = new Map<string, () => void>();
    const server = createLegacyServer(this.catalogue, subscriptions);
    const transport = new CountingTransport(outgoing, replica, this.parts);
    server.onclose = () => {
      for (const end of subscriptions.values()) end();
      subscriptions.clear();
      transport.requests.abort();
      if (this.openSessions.delete(transport.sessionId)) sessions.sessionClosed();
    };
    this.openSessions.set(transport.sessionId, transport);
    sessions.sessionOpened();
    await server.connect(transport);
  }

  async post(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const id = new URL(incoming.url ?? '/', 'http://localhost').searchParams.get('sessionId') ?? '';
    const body = await readJsonBody(incoming);
    if (body.kind === 'aborted') return;
    const transport = this.openSessions.get(id);
    outgoing.setHeader(replicaHeader, this.parts.replica);
    if (transport === undefined) outgoing.writeHead(404).end('Session not found');
    else if (body.kind !== 'json') outgoing.writeHead(body.kind === 'malformed' ? 400 : 413).end(body.kind);
    else await transport.handlePostMessage(incoming, outgoing, body.value);
  }

  async close(): Promise<void> {
    await Promise.all([...this.openSessions.values()].map((transport) => transport.close()));
  }
}

/** The SDK's transport, counting each message once, when it is answered, and signing every result with the replica. */
class CountingTransport extends SSEServerTransport {
  readonly requests: PendingRequests;

  constructor(
    outgoing: ServerResponse,
    private readonly replica: string,
    private readonly observer: MessageObserver,
  ) {
    super(messagesPath, outgoing);
    this.requests = new PendingRequests(observer);
  }

  override async handleMessage(message: unknown): Promise<void> {
    this.requests.received(message);
    await super.handleMessage(message);
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResultResponse(message)) message.result = signed(message.result, this.replica);
    await super.send(message);
    const text = JSON.stringify(message);
    if ('method' in message) this.observer.streams.streamed(text);
    else this.requests.answered(message.id, text);
  }
}
