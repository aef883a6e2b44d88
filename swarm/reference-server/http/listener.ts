import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from '../listen.js';

/** Longer than the idle time of usual load balancers and clients, so that they are the ones to close first. */
const KEEP_ALIVE_MS = 75_000;

/** An HTTP server that is listening, knows its connections, and can be drained. */
export class Listener {
  private _connections = 0;
  private closed: Promise<void> | undefined;

  private constructor(
    private readonly server: Server,
    onConnection: () => void,
  ) {
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket) => {
      this._connections += 1;
      onConnection();
      socket.once('close', () => (this._connections -= 1));
    });
  }

  /** @throws the error of `listen`, for example EADDRINUSE */
  static async open(
    host: string,
    port: number,
    onRequest: RequestListener,
    onConnection: () => void,
  ): Promise<Listener> {
    const server = createServer({ noDelay: true }, onRequest);
    const listener = new Listener(server, onConnection);
    await listen(server, host, port);
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this._connections;
  }

  /** Takes no new connections and closes those without an exchange, now and as exchanges end. */
  stopAccepting(): void {
    this.closed ??= new Promise((resolve) => {
      // Node closes idle connections only once, so close those that become idle later here.
      const idle = setInterval(() => this.server.closeIdleConnections(), 20);
      this.server.close(() => {
        clearInterval(idle);
        resolve();
      });
    });
  }

  /** Cuts the connections that are left. */
  async close(): Promise<void> {
    this.stopAccepting();
    this.server.closeAllConnections();
    await this.closed;
  }
}
