import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HostGuard } from '../http/host-guard.js';
import { listen } from '../listen.js';
import { LARGEST_MESSAGE_BYTES } from '../mcp/inbound.js';
import { type Conversation, lineConversation } from './conversation.js';

const SUBPROTOCOL = 'mcp';
const LETTER_G = 0x47;
const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

interface StreamListenerOptions {
  /** Checks upgrade requests only: a line of JSON-RPC names no host. */
  readonly guard: HostGuard;
  readonly onConnection: () => void;
}

/**
 * WebSocket and lines of JSON-RPC on one port, so that one published port and one port of the gateway serve both: a
 * connection that begins as an HTTP request becomes a WebSocket (by the library `ws`), any other carries lines.
 */
export class StreamListener {
  private readonly server: Server;
  private readonly http: HttpServer;
  private readonly webSockets: WebSocketServer;
  private readonly sockets = new Set<Socket>();

  private constructor(serve: (conversation: Conversation) => void, { guard, onConnection }: StreamListenerOptions) {
    this.webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: LARGEST_MESSAGE_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.http = createHttpServer(
      (_request, response) =>
        void response
          .writeHead(426, { upgrade: 'websocket', connection: 'close' })
          .end('This port speaks WebSocket and lines of JSON-RPC.\n'),
    );
    this.http.on('upgrade', (request, socket, head) => {
      if (guard.refusal(request.headers) !== undefined) socket.end(FORBIDDEN);
      else this.webSockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocketConversation(webSocket)));
    });
    this.server = createServer({ noDelay: true }, (socket) => {
      onConnection();
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.once('data', (first: Buffer) => {
        socket.pause();
        socket.unshift(first);
        if (first[0] === LETTER_G) this.http.emit('connection', socket);
        else serve(lineConversation(socket));
        socket.resume();
      });
    });
  }

  /** @throws the error of `listen`, for example EADDRINUSE */
  static async open(
    host: string,
    port: number,
    serve: (conversation: Conversation) => void,
    options: StreamListenerOptions,
  ): Promise<StreamListener> {
    const listener = new StreamListener(serve, options);
    await listen(listener.server, host, port);
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.sockets.size;
  }

  stopAccepting(): void {
    if (this.server.listening) this.server.close();
  }

  /** Sends WebSocket clients a close frame, then ends every connection. */
  close(): void {
    this.stopAccepting();
    for (const webSocket of this.webSockets.clients) webSocket.close(1001);
    this.http.close();
    for (const socket of this.sockets) socket.destroySoon();
  }
}

function webSocketConversation(webSocket: WebSocket): Conversation {
  const conversation: Conversation = {
    onText: () => undefined,
    onEnd: () => undefined,
    send: (text) => webSocket.send(text),
    close: () => webSocket.close(1000),
  };
  webSocket.on('message', (data, isBinary) => {
    if (isBinary) webSocket.close(1003, 'MCP messages are text');
    else conversation.onText(String(data));
  });
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => conversation.onEnd());
  return conversation;
}
