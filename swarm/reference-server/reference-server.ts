import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Catalogue, type CatalogueOptions } from './catalogue/catalogue.js';
import { mcpPath, messagesPath, ssePath } from './endpoints.js';
import { HostGuard } from './http/host-guard.js';
import { Listener } from './http/listener.js';
import { answerMcp } from './http/mcp-endpoint.js';
import { SseSessions } from './http/sse-sessions.js';
import type { ServedEra } from './mcp/era.js';
import { isStream } from './mcp/inbound.js';
import { LegacyEra } from './mcp/legacy-era.js';
import { createLegacyServer, type LegacyServerFactory } from './mcp/legacy-server.js';
import { ModernEra, type ServerFactory } from './mcp/modern-era.js';
import type { MessageObserver } from './mcp/pending-requests.js';
import { replicaHeader } from './mcp/replica-meta.js';
import { SessionTable } from './mcp/session-table.js';
import { Metrics } from './observe/metrics.js';
import { ServerCounters, type Stats } from './observe/server-counters.js';
import { lineConversation } from './stream/conversation.js';
import { StreamListener } from './stream/stream-listener.js';
import { StreamService } from './stream/stream-service.js';

export interface ReferenceServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** For WebSocket and lines of JSON-RPC; 0: any free port; undefined: neither is served. */
  readonly streamPort?: number | undefined;
  /** Host names to accept besides those of loopback; `*`: any. Default: any, but on loopback none. */
  readonly allowedHosts?: readonly string[];
  readonly id: string;
  readonly era: ServedEra;
  readonly answers: 'json' | 'sse';
  readonly sessions: 'stateful' | 'stateless';
  readonly sessionTtlMs: number;
  readonly maxSessions: number;
  /**
   * How many events of a session are kept for streams that are resumed (session era, JSON answers); 0: none can be
   * resumed. Default: 1,000.
   */
  readonly replay?: number;
  /** Makes the MCP servers to serve over Streamable HTTP; default: those of the catalogue. */
  readonly servers?: ServerFactory;
  /** Keeps the events of answers, too, so that a call whose stream broke can be resumed. Default: false. */
  readonly replayAnswers?: boolean;
  /** For tools that draw random numbers and are not given a seed of their own. */
  readonly seed: number;
  readonly catalogue?: CatalogueOptions | undefined;
}

export interface ReferenceServer {
  readonly port: number;
  readonly streamPort: number | undefined;
  stats(): Stats;
  /** Lets pending requests finish within the budget, then ends sessions and connections. */
  close(budgetMs: number): Promise<void>;
}

const REPLAY = 1_000;
const SESSIONS_PATH = '/sessions/';

/**
 * A real MCP server whose behaviour is known: it counts exactly what it answered (`/stats`), and the arguments of a
 * call decide how long it takes.
 */
export async function startReferenceServer(options: ReferenceServerOptions): Promise<ReferenceServer> {
  const { id, era, answers, maxSessions } = options;
  const counters = new ServerCounters();
  const guard = new HostGuard(options.host, options.allowedHosts ?? []);
  const catalogue = new Catalogue(options.seed, () => counters.reset(), options.catalogue);
  const newServer: LegacyServerFactory = (subscriptions) =>
    options.servers?.legacy() ?? createLegacyServer(catalogue, subscriptions);
  const limits = {
    ttlMs: options.sessionTtlMs,
    maxSessions,
    replay: options.replay ?? REPLAY,
    replayAnswers: options.replayAnswers ?? false,
  };
  const table = new SessionTable(newServer, id, limits, counters);
  const legacy = new LegacyEra(newServer, { replica: id, answers, sessions: options.sessions }, table);
  const modern = new ModernEra(catalogue, id, answers, options.servers);
  let closing = false;
  let pending = 0;

  const observer: MessageObserver = {
    onBegin(inbound) {
      if (!isStream(inbound)) pending += 1;
    },
    onEnd(inbound, outcome, durationMs) {
      if (!isStream(inbound)) pending -= 1;
      const tool = inbound.tool === undefined || catalogue.has(inbound.tool) ? inbound.tool : '(unknown)';
      counters.exchangeEnded(inbound.label, tool, outcome);
      metrics.exchangeEnded(inbound.label, outcome, durationMs);
    },
    streams: counters,
  };
  const endpoint = { ...observer, replica: id, era, legacy, modern };
  const service = new StreamService(catalogue, { replica: id, era }, observer, counters);
  const sse = new SseSessions(catalogue, { ...observer, replica: id, maxSessions, sessions: counters });
  const sessions = (): number => table.size + service.sessions + sse.size;
  const connections = (): number => listener.connections + (streams?.connections ?? 0);
  const stats = (): Stats =>
    counters.stats(id, { sessions: sessions(), connections: connections(), published: catalogue.topics.published });
  const onConnection = (): void => counters.connectionOpened();
  const listener = await Listener.open(options.host, options.port, route, onConnection);
  const streams =
    options.streamPort === undefined
      ? undefined
      : await StreamListener.open(options.host, options.streamPort, service.serve, { guard, onConnection });
  const metrics = new Metrics(sessions, connections);

  function route(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const path = incoming.url?.split('?', 1)[0];
    const refusal = guard.refusal(incoming.headers);
    if (refusal !== undefined) {
      const error = { jsonrpc: '2.0', error: { code: -32000, message: refusal }, id: null };
      plain(outgoing, 403, JSON.stringify(error), 'application/json');
    } else if (path === mcpPath) void answerMcp(incoming, outgoing, endpoint).catch(() => outgoing.destroy());
    else if (path === ssePath && era !== 'modern' && incoming.method === 'GET')
      void sse.open(outgoing).catch(() => outgoing.destroy());
    else if (path === messagesPath && era !== 'modern' && incoming.method === 'POST')
      void sse.post(incoming, outgoing).catch(() => outgoing.destroy());
    else if (path === '/healthz') plain(outgoing, 200, 'ok\n');
    else if (path === '/readyz') plain(outgoing, closing ? 503 : 200, closing ? 'closing\n' : 'ready\n');
    else if (path === '/stats') plain(outgoing, 200, JSON.stringify(stats()), 'application/json');
    else if (path?.startsWith(SESSIONS_PATH) === true) answerSession(path.slice(SESSIONS_PATH.length), outgoing);
    else if (path === '/metrics') {
      void metrics.registry.metrics().then((text) => plain(outgoing, 200, text, metrics.registry.contentType));
    } else plain(outgoing, 404, 'not found: /mcp /sse /messages /healthz /readyz /metrics /stats /sessions/ID\n');
  }

  /** Whether this replica has the session. */
  function answerSession(encoded: string, outgoing: ServerResponse): void {
    const session = decoded(encoded);
    const found = session !== undefined && (table.find(session) !== undefined || sse.has(session));
    plain(outgoing, found ? 200 : 404, JSON.stringify(found ? { replica: id, session } : {}), 'application/json');
  }

  function plain(outgoing: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
    outgoing.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      [replicaHeader]: id,
    });
    outgoing.end(text);
  }

  return {
    port: listener.port,
    streamPort: streams?.port,
    stats,
    async close(budgetMs) {
      closing = true;
      listener.stopAccepting();
      streams?.stopAccepting();
      const deadline = performance.now() + budgetMs;
      while (pending > 0 && performance.now() < deadline) await setTimeout(20);
      await Promise.all([table.close(), modern.close(), sse.close()]);
      streams?.close();
      await listener.close();
    },
  };
}

/** @returns undefined for what is no URL encoding */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Serves one client over these two streams. Its counters cannot be read. @returns when the input has ended */
export function serveStandardStreams(
  { id, era, seed, catalogue: offer }: Pick<ReferenceServerOptions, 'id' | 'era' | 'seed' | 'catalogue'>,
  input: Readable,
  output: Writable,
): Promise<void> {
  const counters = new ServerCounters();
  const catalogue = new Catalogue(seed, () => counters.reset(), offer);
  const observer = { onBegin: () => undefined, onEnd: () => undefined, streams: counters };
  const service = new StreamService(catalogue, { replica: id, era }, observer, counters);
  return new Promise((resolve) => {
    input.once('end', resolve);
    input.once('close', resolve);
    service.serve(lineConversation(Duplex.from({ readable: input, writable: output })));
  });
}
