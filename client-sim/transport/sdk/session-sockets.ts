import type net from 'node:net';
import { type buildConnector, type Dispatcher, Pool } from 'undici';
import type { WireCounters } from '../channel.js';
import type { ConnectLimiter } from '../socket/connect-limiter.js';
import { type Address, connect, resetSocket } from '../socket/socket.js';

/**
 * The connections of one session under its SDK's fetch: as many as there are requests in flight, and one for the stream
 * that the session era's client opens. Each session has its own pool, like a client in a process of its own; the
 * sockets are ours, so that bytes and connections can be counted, certificates chosen, and connections closed or reset.
 */
export class SessionSockets {
  readonly dispatcher: Dispatcher;
  /** How many sockets have been connected. */
  opened = 0;
  private readonly pool: Pool;
  private readonly live = new Map<net.Socket, CountedBytes>();
  private readonly connectErrors = new WeakSet<Error>();
  private isDestroyed = false;

  constructor(
    origin: string,
    private readonly address: Address,
    private readonly counters: WireCounters,
    private readonly limiter: ConnectLimiter,
  ) {
    // No timeouts: the engine limits the time.
    this.pool = new Pool(origin, {
      connect: (_options, done) => this.connect(done),
      connections: null,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.dispatcher = this.pool;
  }

  /** Whether a connection could not be made because of this error. */
  isConnectError(error: Error): boolean {
    return this.connectErrors.has(error);
  }

  /** Adds to the counters what was read and written since the last time. */
  countBytes(): void {
    for (const [socket, counted] of this.live) this.count(socket, counted);
  }

  /**
   * Closes all connections at once.
   * @param reset with RST instead of FIN; over TLS only where the address is `resettable`
   */
  destroy(reset: boolean): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    for (const socket of this.live.keys()) {
      if (reset) resetSocket(socket);
      else socket.destroy();
    }
    this.pool.destroy().catch(() => undefined);
  }

  private connect(done: buildConnector.Callback): void {
    this.limiter.acquire({
      begin: () => {
        if (this.isDestroyed) {
          done(new Error('the session was closed before it had a connection'), null);
          return false;
        }
        this.open(done);
        return true;
      },
    });
  }

  private open(done: buildConnector.Callback): void {
    const socket = connect(this.address);
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
    socket.once(this.address.tls === undefined ? 'connect' : 'secureConnect', () => {
      // From here on the pool handles its errors.
      socket.off('error', onError).off('close', onClose);
      this.limiter.release();
      this.onUp(socket);
      done(null, socket);
    });
  }

  private onUp(socket: net.Socket): void {
    const counted: CountedBytes = { read: 0, written: 0 };
    this.opened++;
    this.counters.connectionsOpened++;
    this.counters.connectionsActive++;
    this.live.set(socket, counted);
    socket.once('close', () => {
      this.count(socket, counted);
      this.live.delete(socket);
      this.counters.connectionsActive--;
    });
    // The session ended while this socket was connecting.
    if (this.isDestroyed) socket.destroy();
  }

  private count(socket: net.Socket, counted: CountedBytes): void {
    const { bytesRead, bytesWritten } = socket;
    this.counters.bytesReceived += bytesRead - counted.read;
    this.counters.bytesSent += bytesWritten - counted.written;
    counted.read = bytesRead;
    counted.written = bytesWritten;
  }
}

/** Bytes of a socket that are in the counters already. */
interface CountedBytes {
  read: number;
  written: number;
}
