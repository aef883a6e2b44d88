import type { IncomingMessage, ServerResponse } from 'node:http';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { isJSONRPCResultResponse, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import { messagesPath } from '../endpoints.js';
import { describe, type Inbound } from '../mcp/inbound.js';
import { createLegacyServer } from '../mcp/legacy-server.js';
import { outcomeOf } from '../mcp/outcome.js';
import { replicaHeader, signed } from '../mcp/replica-meta.js';
import type { SessionObserver } from '../mcp/session-table.js';
import { readJsonBody } from './exchange.js';
import type { McpEndpointParts } from './mcp-endpoint.js';

interface SseSessionsParts extends Pick<McpEndpointParts, 'replica' | 'begun' | 'ended' | 'streams'> {
  readonly maxSessions: number;
  readonly observer: Pick<SessionObserver, 'sessionOpened' | 'sessionClosed'>;
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

  async open(outgoing: ServerResponse): Promise<void> {
    const { maxSessions, observer, replica } = this.parts;
    if (this.openSessions.size >= maxSessions)
      return void outgoing.writeHead(503, { 'retry-after': '1', [replicaHeader]: replica }).end('Too many sessions');
    const subscriptions = new Map<string, () => void>();
    const server = createLegacyServer(this.catalogue, subscriptions);
    const transport = new CountingTransport(outgoing, this.parts);
    server.onclose = () => {
      for (const end of subscriptions.values()) end();
      subscriptions.clear();
      transport.cut();
      if (this.openSessions.delete(transport.sessionId)) observer.sessionClosed();
    };
    this.openSessions.set(transport.sessionId, transport);
    observer.sessionOpened();
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

interface Begun {
  readonly inbound: Inbound;
  readonly startedAt: number;
}

/** The SDK's own transport; counts each message once, when it is answered, and puts the replica into every result. */
class CountingTransport extends SSEServerTransport {
  private readonly underWay = new Map<string | number, Begun>();

  constructor(
    outgoing: ServerResponse,
    private readonly parts: SseSessionsParts,
  ) {
    super(messagesPath, outgoing);
  }

  override async handleMessage(message: unknown): Promise<void> {
    const begun = { inbound: describe(message), startedAt: performance.now() };
    const id =
      typeof message === 'object' && message !== null && 'method' in message && 'id' in message
        ? message.id
        : undefined;
    this.parts.begun(begun.inbound);
    if (typeof id === 'string' || typeof id === 'number') this.underWay.set(id, begun);
    else this.end(begun, 'ok');
    await super.handleMessage(message);
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResultResponse(message)) message.result = signed(message.result, this.parts.replica);
    await super.send(message);
    if ('method' in message) this.parts.streams.streamed(JSON.stringify(message));
    const id = 'id' in message && !('method' in message) ? message.id : undefined;
    const begun = id === undefined ? undefined : this.underWay.get(id);
    if (id === undefined || begun === undefined) return;
    this.underWay.delete(id);
    this.end(begun, outcomeOf(200, JSON.stringify(message)));
  }

  /** The stream is gone: nobody will see the answers that are still due. */
  cut(): void {
    for (const begun of this.underWay.values()) this.end(begun, 'aborted');
    this.underWay.clear();
  }

  private end({ inbound, startedAt }: Begun, outcome: Parameters<SseSessionsParts['ended']>[1]): void {
    this.parts.ended(inbound, outcome, performance.now() - startedAt);
  }
}
