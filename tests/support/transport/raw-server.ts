import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { onTestEnd } from '../test-end.js';

/** A request as its bytes came in. */
export interface RawRequest {
  readonly verb: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The JSON of the body; {} without one. */
  readonly message: { readonly id?: number; readonly method?: string; readonly params?: Record<string, unknown> };
  /** From 1, in order of arrival. */
  readonly connection: number;
}

/** Writes any bytes, at any time. */
export type RawHandler = (request: RawRequest, socket: Socket) => void;

export interface RawServer {
  readonly url: string;
  readonly requests: readonly RawRequest[];
  /** How many are open now. */
  readonly open: number;
  readonly connectionsOpened: number;
}

/** A server that only reads requests; the test answers them. Ends with the test. */
export async function startRawServer(
  handler: RawHandler,
  secure?: { readonly key: string; readonly cert: string },
): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  let connectionsOpened = 0;
  const serve = (socket: Socket): void => {
    const connection = ++connectionsOpened;
    let held = Buffer.alloc(0);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let cut = cutRequest(held, connection); cut !== undefined; cut = cutRequest(held, connection)) {
        held = held.subarray(cut.length);
        requests.push(cut.request);
        handler(cut.request, socket);
      }
    });
  };
  const server =
    secure === undefined
      ? net.createServer(serve)
      : tls.createServer({ ...secure, ALPNProtocols: ['http/1.1'] }, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${port}/mcp`,
    requests,
    get open() {
      return sockets.size;
    },
    get connectionsOpened() {
      return connectionsOpened;
    },
  };
}

function cutRequest(
  bytes: Buffer,
  connection: number,
): { readonly request: RawRequest; readonly length: number } | undefined {
  const blank = bytes.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const [line = '', ...rest] = bytes.toString('latin1', 0, blank).split('\r\n');
  const headers = Object.fromEntries(
    rest.map((header) => [
      header.slice(0, header.indexOf(':')).toLowerCase(),
      header.slice(header.indexOf(':') + 1).trim(),
    ]),
  );
  const length = blank + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return undefined;
  const body = bytes.toString('utf8', blank + 4, length);
  const [verb = '', path = ''] = line.split(' ');
  return {
    length,
    request: {
      verb,
      path,
      headers,
      body,
      message: body === '' ? {} : (JSON.parse(body) as RawRequest['message']),
      connection,
    },
  };
}

/** Writes the piece repeatedly, as fast as the client reads, until the connection is closed. */
export function writeForever(socket: Socket, piece: string): void {
  if (!socket.destroyed) socket.write(piece, () => setImmediate(() => writeForever(socket, piece)));
}

/** For `legacy`: a server that hands out no session ids. */
export const NO_SESSION = '';

/** Answers the handshake and DELETE like a session server; all other requests go to `handler`. */
export function legacy(handler: RawHandler, sessionId = 'session-1'): RawHandler {
  return (request, socket) => {
    if (request.message.method === 'initialize') {
      const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'raw', version: '1' } };
      socket.write(
        json(
          { jsonrpc: '2.0', id: request.message.id, result },
          sessionId === NO_SESSION ? '' : `mcp-session-id: ${sessionId}\r\n`,
        ),
      );
    } else if (request.message.method === 'notifications/initialized') socket.write(ACCEPTED);
    else if (request.verb === 'DELETE') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    else handler(request, socket);
  };
}

export const ACCEPTED = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';

/** @param headers whole lines, each ending in CRLF */
export function http(status: string, body: string, headers = ''): string {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function json(message: unknown, headers = '', status = '200 OK'): string {
  return http(status, JSON.stringify(message), `content-type: application/json\r\n${headers}`);
}

/** A correct answer to a tool call. */
export function correct(id: number | undefined, text = 'fine'): string {
  return json(result(id, text));
}

export function result(id: number | undefined, text = 'fine'): object {
  return { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } };
}

export const SSE_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
export const LAST_CHUNK = '0\r\n\r\n';

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export function event(message: unknown): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}
