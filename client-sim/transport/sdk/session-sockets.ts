import net from 'node:net';
import tls from 'node:tls';
import { type buildConnector, type Dispatcher, Pool } from 'undici';
import type { WireCounters } from '../channel.js';
import type { ConnectLimiter } from '../socket/connect-limiter.js';
import type { Address } from '../socket/socket.js';

/**
 * The connections of one session under its SDK's fetch: as many as there are requests in flight, and one for the stream
 * that the session era's client opens. Its own pool, as a client in a process of its own has it; by its own sockets, so
 * that bytes and connections can be counted, certificates chosen, and connections cut or reset.
 */
export class SessionSockets {
  readonly dispatcher: Dispatcher;
  /** Sockets that were ever connected. */
  opened = 0;
  private readonly pool: Pool;
  private readonly live = new Map<net.Socket, Tally>();
  private readonly connectErrors = new WeakSet<Error>();
  private isCut = false;

  constructor(
    origin: string,
    private readonly address: Address,
    private readonly counters: WireCounters,
    private readonly limiter: ConnectLimiter,
  ) {
    // The engine keeps the time.
    this.pool = new Pool(origin, {
      connect: (_options, done) => this.connect(done),
      connections: null,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.dispatcher = this.pool;
  }

  /** Whether this is why a connection could not be made. */
  isConnectError(error: Error): boolean {
    return this.connectErrors.has(error);
  }

  /** Adds to the counters what was read and written since the last time. */
  tally(): void {
    for (const [socket, tally] of this.live) this.count(socket, tally);
  }

  /**
   * Closes all connections at once. @param reset with RST instead of FIN; over TLS only where the address is
   * `resettable`
   */
  cut(reset: boolean): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const [socket, { under }] of this.live) {
      if (!reset) socket.destroy();
      else if (under !== undefined) under.resetAndDestroy();
      else if (socket instanceof tls.TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.pool.destroy().catch(() => undefined);
  }

  private connect(done: buildConnector.Callback): void {
    this.limiter.acquire({
      begin: () => {
        if (this.isCut) {
          done(new Error('the session was closed before it had a connection'), null);
          return false;
        }
        this.open(done);
        return true;
      },
    });
  }

  private open(done: buildConnector.Callback): void {
    const { host, port, tls: secure, resettable } = this.address;
    // Node resets plain sockets only: where that may be asked for, the one under TLS is ours.
    const under = secure !== undefined && resettable === true ? net.connect({ host, port, noDelay: true }) : undefined;
    const socket =
      secure === undefined
        ? net.connect({ host, port, noDelay: true })
        : tls.connect({
            ALPNProtocols: ['http/1.1'],
            ...(net.isIP(host) === 0 ? { servername: host } : {}),
            ...secure,
            ...(under === undefined ? { host, port } : { socket: under }),
          });
    under?.on('error', (error: Error) => socket.destroy(error));
    const failed = (error?: Error): void => {
      this.limiter.release();
      const reason = error ?? new Error('the connection was closed before it was up');
      this.connectErrors.add(reason);
      done(reason, null);
    };
    let problem: Error | undefined;
    const onError = (error: Error): void => void (problem = error);
    const onClose = (): void => failed(problem);
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once(secure === undefined ? 'connect' : 'secureConnect', () => {
      // Its errors are the pool's from here on.
      socket.off('error', onError).off('close', onClose);
      this.limiter.release();
      this.up(socket, under);
      done(null, socket);
    });
  }

  private up(socket: net.Socket, under: net.Socket | undefined): void {
    const tally: Tally = { under, read: 0, written: 0 };
    this.opened++;
    this.counters.connectionsOpened++;
    this.counters.connectionsActive++;
    this.live.set(socket, tally);
    if (socket instanceof tls.TLSSocket) socket.setNoDelay(true);
    socket.once('close', () => {
      this.count(socket, tally);
      this.live.delete(socket);
      this.counters.connectionsActive--;
    });
    // The session ended while this one was on its way.
    if (this.isCut) socket.destroy();
  }

  private count(socket: net.Socket, tally: Tally): void {
    const { bytesRead, bytesWritten } = socket;
    this.counters.bytesReceived += bytesRead - tally.read;
    this.counters.bytesSent += bytesWritten - tally.written;
    tally.read = bytesRead;
    tally.written = bytesWritten;
  }
}

interface Tally {
  readonly under: net.Socket | undefined;
  /** Bytes that were counted. */
  read: number;
  written: number;
}
