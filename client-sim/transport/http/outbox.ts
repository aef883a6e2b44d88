import type { Writable } from 'node:stream';
import type { WireCounters } from '../channel.js';
import type { SendBuffer, SendBufferPool } from './send-buffers.js';

/** What one connection is about to send, in one buffer that it borrows until the kernel has taken it. */
export class Outbox {
  private buffer: SendBuffer | undefined;

  constructor(
    private readonly pool: SendBufferPool,
    protected readonly counters: WireCounters,
  ) {}

  get isEmpty(): boolean {
    return this.buffer === undefined;
  }

  /** A buffer with room for so many more bytes; the caller writes at `used` and moves it. */
  reserve(bytes: number): SendBuffer {
    const { buffer, pool } = this;
    if (buffer === undefined) return (this.buffer = pool.take(bytes));
    if (buffer.bytes.length - buffer.used >= bytes) return buffer;
    return (this.buffer = pool.grow(buffer, buffer.used + bytes));
  }

  /** Everything in one write. */
  write(socket: Writable, isTls: boolean): void {
    const { buffer, pool, counters } = this;
    if (buffer === undefined) return;
    this.buffer = undefined;
    counters.bytesSent += buffer.used;
    const waiting = socket.writableLength > 0;
    if (waiting) counters.backpressure++;
    if (waiting || isTls) {
      socket.write(buffer.filled(), () => pool.release(buffer));
      return;
    }
    socket.write(buffer.filled());
    // Nearly always the kernel has taken it all by now, without a callback. If not, the buffer is left to the stream.
    if (socket.writableLength === 0) pool.release(buffer);
  }

  /**
   * Calls back once all that was to be written has been given to the socket: at once, but for a slow writer; never
   * after `drop`.
   */
  handedOver(then: () => void): void {
    then();
  }

  /** A copy of what is to be sent, which is then no longer here. */
  protected takeBytes(): Buffer {
    const { buffer } = this;
    if (buffer === undefined) return Buffer.alloc(0);
    this.buffer = undefined;
    const bytes = Buffer.from(buffer.filled());
    this.pool.release(buffer);
    return bytes;
  }

  /** The connection is gone, and so is what was to be sent on it. */
  drop(): void {
    if (this.buffer !== undefined) this.pool.release(this.buffer);
    this.buffer = undefined;
  }
}
