import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HostGuard } from '../http/host-guard.js';
import { type Conversation, largestMessageBytes, lineConversation } from './conversation.js';

const subprotocol = 'mcp';
const letterG = 0x47;
const forbidden = 'HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

interface StreamListenerOptions {
  /** Looks at who wants a WebSocket; a line of JSON-RPC names no host. */
  readonly guard: HostGuard;
  readonly onConnection: () => void;
}

/**
 * One port for both: a connection that begins as an HTTP request is to become a WebSocket (by the library `ws`),
 * any other carries lines. So one published port, and one door in the gateway, serve both.
 */
export class StreamListener {
  private readonly server: Server;
  private readonly http: HttpServer;
  private readonly webSockets: WebSocketServer;
  private readonly sockets = new Set<Socket>();

  private constructor(serve: (conversation: Conversation) => void, { guard, onConnection }: StreamListenerOptions) {
    this.webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: largestMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    this.http = createHttpServer(
      (_request, response) =>
        void response
          .writeHead(426, { upgrade: 'websocket', connection: 'close' })
          .end('This port speaks WebSocket and lines of JSON-RPC.\n'),
    );
    this.http.on('upgrade', (request, socket, head) => {
      if (guard.refusal(request.headers) !== undefined) socket.end(forbidden);
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
        if (first[0] === letterG) this.http.emit('connection', socket);
        else serve(lineConversation(socket));
        socket.resume();
      });
    });
  }

  /** @throws the error of `listen`, for example EADDRINUSE */
  static open(
    host: string,
    port: number,
    serve: (conversation: Conversation) => void,
    options: StreamListenerOptions,
  ): Promise<StreamListener> {
    const made = new StreamListener(serve, options);
    return new Promise((resolve, reject) => {
      made.server.once('error', reject);
      made.server.listen({ host, port, backlog: 4096 }, () => {
        made.server.off('error', reject);
        resolve(made);
      });
    });
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

  /** Says goodbye to those who would understand it, and cuts what is left. */
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
