import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestEnd } from '../support/test-end.js';
import type { Behaviour, Call } from './call.js';

export interface TestServerOptions {
  readonly era?: 'legacy' | 'modern';
  /**
   * Sees every operation of the run; the preflight (the first session, or the first calls without sessions) is answered
   * rightly.
   */
  readonly behaviour: Behaviour;
  /** How many calls the preflight makes where there are no sessions: one for each operation of the mix. Default 1. */
  readonly preflightCalls?: number;
  /** What `tools/list` shows; any tool is answered. Default `echo` and `other`. */
  readonly tools?: readonly string[];
  /** How long each `initialize` takes. Default: no time. */
  readonly opensAfterMs?: number;
  /** Speaks https; with `ca`, only to clients that show a certificate of it. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
}

export interface SeenCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly session: string | undefined;
  /** From 1, in order of arrival. */
  readonly connection: number;
  /** Of the monotonic clock. */
  readonly atMs: number;
  /** When the answer was written or the connection was gone; undefined until then. */
  endedAtMs: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What the server itself saw and counted; the preflight is not in it. */
export interface ServerLog {
  readonly calls: SeenCall[];
  /** Answers written to the last byte, by HTTP status. */
  readonly answered: Map<number, number>;
  sessionsOpened: number;
  sessionsDeleted: number;
  /** The preflight's are among these. */
  connectionsOpened: number;
  /** Connections that ended with RST instead of FIN. */
  connectionsReset: number;
}

interface TestServer {
  readonly url: string;
  readonly log: ServerLog;
}

interface Message {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly [key: string]: unknown };
}

/** A small MCP server for one test, in a process of its own, that behaves as the test wants. Ends with the test. */
export async function startTestServer({
  era = 'legacy',
  behaviour,
  preflightCalls = 1,
  tools = ['echo', 'other'],
  opensAfterMs = 0,
  tls,
}: TestServerOptions): Promise<TestServer> {
  const log: ServerLog = {
    calls: [],
    answered: new Map(),
    sessionsOpened: 0,
    sessionsDeleted: 0,
    connectionsOpened: 0,
    connectionsReset: 0,
  };
  const connections = new WeakMap<Socket, number>();
  const sessions = new Set<string>();
  let preflightSession: string | undefined;
  let preflightLeft = preflightCalls;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = single(request.headers['mcp-session-id']);
    if (request.method === 'DELETE') {
      if (session !== undefined && sessions.delete(session) && session !== preflightSession) log.sessionsDeleted += 1;
      return send(response, 200, '');
    }
    if (request.method !== 'POST') return send(response, 405, '');
    const message: Message = JSON.parse(await text(request));
    const modern = request.headers['mcp-protocol-version'] === '2026-07-28';
    if (modern !== (era === 'modern'))
      return send(response, 400, rpcError(message.id, -32000, 'Bad Request: Session ID required'));
    if (message.id === undefined) return send(response, 202, '');
    if (message.method === 'initialize') {
      if (opensAfterMs > 0) await pause(opensAfterMs);
      return initialize(message, response);
    }
    if (era === 'legacy' && (session === undefined || !sessions.has(session)))
      return send(response, 404, rpcError(message.id, -32001, 'Session not found'));
    const result = resultOf(message, tools);
    const rightAnswer = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: modern ? asModern(result) : result });
    if (message.method === 'server/discover' || isPreflight(session, message.method))
      return send(response, 200, rightAnswer);
    const seen: SeenCall = {
      method: message.method,
      params: message.params ?? {},
      session,
      connection: connections.get(request.socket) ?? 0,
      atMs: performance.now(),
      endedAtMs: undefined,
      headers: request.headers,
    };
    log.calls.push(seen);
    response.once('close', () => {
      seen.endedAtMs = performance.now();
      if (response.writableFinished)
        log.answered.set(response.statusCode, (log.answered.get(response.statusCode) ?? 0) + 1);
    });
    const call: Call = {
      number: log.calls.length,
      id: message.id,
      tool: message.params?.name,
      session,
      response,
      rightAnswer,
      answer: (body = rightAnswer, status = 200, headers = {}) => send(response, status, body, headers),
      forgetSession: () => void sessions.delete(session ?? ''),
    };
    await behaviour(call);
  }

  function initialize(message: Message, response: ServerResponse): void {
    const id = randomUUID();
    sessions.add(id);
    if (preflightSession === undefined) preflightSession = id;
    else log.sessionsOpened += 1;
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'test', version: '1' },
    };
    send(response, 200, JSON.stringify({ jsonrpc: '2.0', id: message.id, result }), { 'mcp-session-id': id });
  }

  /** With sessions: everything in the first one. Without: lists, and the first calls. */
  function isPreflight(session: string | undefined, method: string): boolean {
    if (era === 'legacy') return session === preflightSession;
    if (method.endsWith('/list')) return true;
    preflightLeft -= 1;
    return preflightLeft >= 0;
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const server =
    tls === undefined
      ? createServer(listener)
      : createSecureServer({ ...tls, requestCert: tls.ca !== undefined }, listener);
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    log.connectionsOpened += 1;
    connections.set(socket, log.connectionsOpened);
    socket.on('error', () => (log.connectionsReset += 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    log,
  };
}

/** What tools whose name starts with `big` answer. */
const bigText = 'x'.repeat(200 * 1024);

function resultOf({ method, params }: Message, tools: readonly string[]): object {
  switch (method) {
    case 'server/discover':
      return { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
    case 'tools/list':
      return { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) };
    case 'resources/list':
      return { resources: [{ uri: 'test://text', name: 'text' }] };
    case 'prompts/list':
      return { prompts: [{ name: 'greeting' }] };
    case 'resources/read':
      return { contents: [{ uri: params?.uri, text: 'text' }] };
    case 'prompts/get':
      return { messages: [] };
    case 'tools/call':
      return { content: [{ type: 'text', text: params?.name?.startsWith('big') ? bigText : 'ok' }] };
    default:
      return {};
  }
}

function asModern(result: object): object {
  return {
    ...result,
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'test', version: '1' } },
  };
}

function rpcError(id: string | number | undefined, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message } });
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...(body !== '' && { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
