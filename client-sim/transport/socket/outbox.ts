import type { Writable } from 'node:stream';
import type { WireCounters } from '../channel.js';
import type { Pace } from './pace.js';
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

/** Writes per second of a slow writer: each leaves as a segment of its own, and the rate is smooth. */
const WRITES_PER_SECOND = 10;

/**
 * An outbox that lets bytes trickle: a piece, then nothing until the piece's time is up. What is flushed meanwhile
 * waits its turn.
 */
class SlowOutbox extends Outbox {
  private readonly pieceBytes: number;
  private waiting: Buffer = Buffer.alloc(0);
  private timer: NodeJS.Timeout | undefined;
  private whenGone: (() => void) | undefined;

  constructor(
    pool: SendBufferPool,
    counters: WireCounters,
    private readonly bytesPerSecond: number,
  ) {
    super(pool, counters);
    this.pieceBytes = Math.max(1, Math.floor(bytesPerSecond / WRITES_PER_SECOND));
  }

  override write(socket: Writable): void {
    this.waiting = Buffer.concat([this.waiting, this.takeBytes()]);
    if (this.timer === undefined) this.trickle(socket);
  }

  override drop(): void {
    super.drop();
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = Buffer.alloc(0);
    this.whenGone = undefined;
  }

  override handedOver(then: () => void): void {
    if (this.waiting.length === 0) then();
    else this.whenGone = then;
  }

  private trickle(socket: Writable): void {
    const piece = this.waiting.subarray(0, this.pieceBytes);
    this.waiting = this.waiting.subarray(piece.length);
    if (piece.length === 0) {
      this.timer = undefined;
      return;
    }
    this.counters.bytesSent += piece.length;
    socket.write(piece);
    // Also after the last piece: what is flushed next must not come on its heels.
    this.timer = setTimeout(() => this.trickle(socket), (piece.length / this.bytesPerSecond) * 1000);
    const { whenGone } = this;
    if (this.waiting.length > 0 || whenGone === undefined) return;
    this.whenGone = undefined;
    whenGone();
  }
}

/** One that goes at this pace. */
export function newOutbox(
  { sendBuffers, counters }: { readonly sendBuffers: SendBufferPool; readonly counters: WireCounters },
  { writeBytesPerSecond }: Pace,
): Outbox {
  return writeBytesPerSecond === undefined
    ? new Outbox(sendBuffers, counters)
    : new SlowOutbox(sendBuffers, counters, writeBytesPerSecond);
}

const NOTHING = Buffer.alloc(0);

/** Calls back once the kernel has taken all that was written so far; not on a stream that fails. */
export function writtenTo(stream: Writable, then: () => void): void {
  stream.write(NOTHING, (error) => {
    if (error === undefined || error === null) then();
  });
}
