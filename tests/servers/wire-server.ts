import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestEnd } from '../support/test-end.js';
import { cutRequest, type WireRequest } from './wire-request.js';

/** What one TCP connection looked like from this side, byte by byte. Times are of the monotonic clock. */
export interface WireConnection {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly openedAtMs: number;
  /** Each read as it came. */
  readonly pieces: { readonly atMs: number; readonly bytes: number }[];
  readonly requests: WireRequest[];
  /** Answers of which the first byte was given to the kernel, and those of which it took the last. */
  answersBegun: number;
  answersTaken: number;
  /** undefined: still open. */
  ended: 'fin' | 'rst' | 'by-server' | undefined;
  endedAtMs: number | undefined;
}

export interface WireLog {
  readonly connections: WireConnection[];
  /** Of the whole run, without the preflight's session. */
  readonly sessionsOpened: string[];
  readonly sessionsDeleted: string[];
}

interface WireServer {
  readonly url: string;
  readonly log: WireLog;
}

const MOST_BODY_BYTES = 1024 * 1024;
/** More than a client reads at once, so that bytes are left unread where it stops in the middle. */
const LONG_TEXT = 'x'.repeat(4 * 1024 * 1024);
/** The second half of a long answer is held back, so that it stays with the server however much socket buffers hold. */
const SECOND_HALF_MS = 1_500;

/**
 * A correct and strict MCP server of the session era on bare sockets. It records every byte that it gets, and how each
 * connection ended. Tools: `slow` answers after 300 ms, `long` after 20 ms with 4 MiB in two halves, all others at
 * once.
 */
export async function startWireServer(): Promise<WireServer> {
  const log: WireLog = { connections: [], sessionsOpened: [], sessionsDeleted: [] };
  const sessions = new Map<string, Set<unknown>>();
  let preflight: string | undefined;
  const open = new Set<Socket>();

  const serve = (socket: Socket): void => {
    const connection: WireConnection = {
      number: log.connections.length + 1,
      openedAtMs: performance.now(),
      pieces: [],
      requests: [],
      answersBegun: 0,
      answersTaken: 0,
      ended: undefined,
      endedAtMs: undefined,
    };
    log.connections.push(connection);
    open.add(socket);
    let held = Buffer.alloc(0);
    const end = (how: WireConnection['ended']): void => {
      connection.ended ??= how;
      connection.endedAtMs ??= performance.now();
    };
    socket.on('error', () => end('rst'));
    socket.on('end', () => {
      if (socket.writableEnded) return end('fin');
      // libuv makes an end of a reset that comes together with bytes; after a reset nothing can be written, after a FIN
      // it can.
      socket.write('?', (error) => {
        end(error === undefined || error === null ? 'fin' : 'rst');
        socket.destroy();
      });
    });
    socket.on('close', () => {
      end('rst');
      open.delete(socket);
    });
    socket.on('data', (bytes: Buffer) => {
      connection.pieces.push({ atMs: performance.now(), bytes: bytes.length });
      if (connection.ended !== undefined) return;
      held = Buffer.concat([held, bytes]);
      for (let cut = cutRequest(held, MOST_BODY_BYTES); cut !== undefined; cut = cutRequest(held, MOST_BODY_BYTES)) {
        held = held.subarray(cut.length);
        connection.requests.push(cut.request);
        answer(cut.request, connection, socket, end);
        if (cut.request.spoilt !== undefined && cut.request.spoilt !== 'json') return;
      }
    });
  };

  const write = (connection: WireConnection, socket: Socket, text: string): void => {
    if (connection.ended !== undefined) return;
    connection.answersBegun++;
    const writeLast = (last: string): void =>
      void socket.write(last, (error) => {
        if (error === undefined || error === null) connection.answersTaken++;
      });
    if (text.length < LONG_TEXT.length) return writeLast(text);
    const half = Math.floor(text.length / 2);
    socket.write(text.slice(0, half));
    setTimeout(() => {
      if (connection.ended === undefined) writeLast(text.slice(half));
    }, SECOND_HALF_MS);
  };

  const answer = (
    request: WireRequest,
    connection: WireConnection,
    socket: Socket,
    end: (how: WireConnection['ended']) => void,
  ): void => {
    const respond = (status: string, message?: unknown, headers = ''): void =>
      write(connection, socket, http(status, message, headers));
    if (request.spoilt === 'framing' || request.spoilt === 'too-long') {
      end('by-server');
      connection.answersBegun++;
      socket.end(
        http(
          request.spoilt === 'framing' ? '400 Bad Request' : '413 Content Too Large',
          undefined,
          'connection: close\r\n',
        ),
      );
      return;
    }
    if (request.spoilt === 'json')
      return respond('400 Bad Request', { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
    const { message, session } = request;
    if (request.verb === 'DELETE') {
      if (session !== undefined && sessions.delete(session) && session !== preflight) log.sessionsDeleted.push(session);
      return respond('200 OK');
    }
    const { id, method = '' } = message;
    if (method === 'initialize') {
      const fresh = randomUUID();
      sessions.set(fresh, new Set());
      if (preflight === undefined) preflight = fresh;
      else log.sessionsOpened.push(fresh);
      return respond(
        '200 OK',
        {
          jsonrpc: '2.0',
          id,
          result: {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'wire', version: '1' },
          },
        },
        `mcp-session-id: ${fresh}\r\n`,
      );
    }
    const seen = sessions.get(session ?? '');
    if (seen === undefined)
      return respond('404 Not Found', {
        jsonrpc: '2.0',
        id: id ?? null,
        error: { code: -32001, message: 'Session not found' },
      });
    if (id === undefined) return respond('202 Accepted');
    request.isPreflight = session === preflight;
    if (seen.has(id))
      return respond('400 Bad Request', {
        jsonrpc: '2.0',
        id,
        error: { code: -32600, message: 'this id was used before' },
      });
    seen.add(id);
    const result = resultOf(method, message.params?.name);
    if (result === undefined)
      return respond('200 OK', { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
    const delayMs = { slow: 300, long: 20 }[message.params?.name ?? ''] ?? 0;
    if (delayMs === 0) respond('200 OK', { jsonrpc: '2.0', id, result });
    else setTimeout(() => respond('200 OK', { jsonrpc: '2.0', id, result }), delayMs);
  };

  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, log };
}

function http(status: string, message: unknown, headers: string): string {
  const body = message === undefined ? '' : JSON.stringify(message);
  const type = body === '' ? '' : 'content-type: application/json\r\n';
  return `HTTP/1.1 ${status}\r\n${headers}${type}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function resultOf(method: string, tool: string | undefined): object | undefined {
  switch (method) {
    case 'ping':
      return {};
    case 'tools/list':
      return { tools: ['echo', 'slow', 'long'].map((name) => ({ name, inputSchema: { type: 'object' } })) };
    case 'tools/call':
      return { content: [{ type: 'text', text: tool === 'long' ? LONG_TEXT : 'ok' }] };
    default:
      return undefined;
  }
}
