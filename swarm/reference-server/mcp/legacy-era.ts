import type { Inbound } from './inbound.js';
import { type LegacyServerFactory, LegacyTransport } from './legacy-server.js';
import { rpcErrorResponse } from './outcome.js';
import type { Session, SessionTable } from './session-table.js';

interface LegacyOptions {
  readonly replica: string;
  readonly answers: 'json' | 'sse';
  readonly sessions: 'stateful' | 'stateless';
}

/** Revisions 2024-11-05 to 2025-11-25 over Streamable HTTP, by SDK 1.x. */
export class LegacyEra {
  constructor(
    private readonly newServer: LegacyServerFactory,
    private readonly options: LegacyOptions,
    private readonly table: SessionTable,
  ) {}

  /** @param onEnd registers a function to call when the exchange is over, answered or not */
  async answer(request: Request, inbound: Inbound, onEnd: (act: () => void) => void): Promise<Response> {
    if (this.options.sessions === 'stateless') return this.stateless(request, inbound, onEnd);
    const id = request.headers.get('mcp-session-id');
    if (id === null) {
      if (inbound.label !== 'initialize') return rpcErrorResponse(400, -32000, 'Bad Request: Session ID required');
      if (this.table.full) return rpcErrorResponse(503, -32000, 'Too many sessions', { 'retry-after': '1' });
      const { transport } = await this.table.prepare(this.options.answers === 'json');
      return transport.handleRequest(request, { parsedBody: inbound.body });
    }
    const session = this.table.find(id);
    if (session === undefined) return rpcErrorResponse(404, -32001, 'Session not found');
    hold(session, onEnd);
    // A transport in JSON mode drops notifications, so a call that asks for progress gets a stream of its own.
    if (inbound.wantsProgress && this.options.answers === 'json') return this.once(request, inbound, false, onEnd);
    return session.transport.handleRequest(request, inbound.body === undefined ? {} : { parsedBody: inbound.body });
  }

  private stateless(
    request: Request,
    inbound: Inbound,
    onEnd: (act: () => void) => void,
  ): Response | Promise<Response> {
    if (request.method !== 'POST') return rpcErrorResponse(405, -32000, 'Method not allowed.', { allow: 'POST' });
    return this.once(request, inbound, this.options.answers === 'json' && !inbound.wantsProgress, onEnd);
  }

  /** Uses a server and a transport for this one exchange only, as SDK 1.x requires without sessions. */
  private async once(
    request: Request,
    inbound: Inbound,
    json: boolean,
    onEnd: (act: () => void) => void,
  ): Promise<Response> {
    const subscriptions = new Map<string, () => void>();
    const server = this.newServer(subscriptions);
    const transport = new LegacyTransport(this.options.replica, { enableJsonResponse: json });
    onEnd(() => {
      for (const end of subscriptions.values()) end();
      void server.close();
    });
    await server.connect(transport);
    return transport.handleRequest(request, { parsedBody: inbound.body });
  }
}

function hold(session: Session, onEnd: (act: () => void) => void): void {
  session.exchanges += 1;
  onEnd(() => {
    session.exchanges -= 1;
    session.lastUsedAt = performance.now();
  });
}
