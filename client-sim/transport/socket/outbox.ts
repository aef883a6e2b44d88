import type { Writable } from 'node:stream';
import type { WireCounters } from '../channel.js';
import type { Pace } from './pace.js';
import type { SendBuffer, SendBufferPool } from './send-buffers.js';

/** The bytes that one connection is about to send, in a buffer that it borrows until the kernel has taken them. */
export class Outbox {
  private buffer: SendBuffer | undefined;

  constructor(
    private readonly pool: SendBufferPool,
    protected readonly counters: WireCounters,
  ) {}

  get isEmpty(): boolean {
    return this.buffer === undefined;
  }

  /** A buffer with room for this many more bytes; the caller writes at `used` and advances it. */
  reserve(bytes: number): SendBuffer {
    const { buffer, pool } = this;
    if (buffer === undefined) return (this.buffer = pool.take(bytes));
    if (buffer.bytes.length - buffer.used >= bytes) return buffer;
    return (this.buffer = pool.grow(buffer, buffer.used + bytes));
  }

  /** Sends everything in one write. */
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
    // Nearly always the kernel has taken all of it by now, without a callback. If not, the stream keeps the buffer.
    if (socket.writableLength === 0) pool.release(buffer);
  }

  /**
   * Calls back once everything flushed so far has been given to the socket: immediately, except for a slow writer;
   * never after `drop`.
   */
  whenWritten(then: () => void): void {
    then();
  }

  /** The connection is gone, and with it what was to be sent. */
  drop(): void {
    if (this.buffer !== undefined) this.pool.release(this.buffer);
    this.buffer = undefined;
  }

  /** Empties the outbox and returns a copy of what it held. */
  protected takeBytes(): Buffer {
    const { buffer } = this;
    if (buffer === undefined) return Buffer.alloc(0);
    this.buffer = undefined;
    const bytes = Buffer.from(buffer.filled());
    this.pool.release(buffer);
    return bytes;
  }
}

/** Writes per second of a slow writer: each leaves as a segment of its own, and the rate is smooth. */
const WRITES_PER_SECOND = 10;

/** An outbox that writes slowly: a piece, then nothing until the piece's time is up. Bytes flushed meanwhile wait. */
class SlowOutbox extends Outbox {
  private readonly pieceBytes: number;
  private waiting: Buffer = Buffer.alloc(0);
  private timer: NodeJS.Timeout | undefined;
  private onWritten: (() => void) | undefined;

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
    this.onWritten = undefined;
  }

  override whenWritten(then: () => void): void {
    if (this.waiting.length === 0) then();
    else this.onWritten = then;
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
    // Also after the last piece: the next flush must not follow it at once.
    this.timer = setTimeout(() => this.trickle(socket), (piece.length / this.bytesPerSecond) * 1000);
    const { onWritten } = this;
    if (this.waiting.length > 0 || onWritten === undefined) return;
    this.onWritten = undefined;
    onWritten();
  }
}

/** An outbox that writes at this pace. */
export function newOutbox(
  { sendBuffers, counters }: { readonly sendBuffers: SendBufferPool; readonly counters: WireCounters },
  { writeBytesPerSecond }: Pace,
): Outbox {
  return writeBytesPerSecond === undefined
    ? new Outbox(sendBuffers, counters)
    : new SlowOutbox(sendBuffers, counters, writeBytesPerSecond);
}

const NOTHING = Buffer.alloc(0);

/** Calls back once the kernel has taken everything written so far; never on a stream that fails. */
export function whenFlushed(stream: Writable, then: () => void): void {
  stream.write(NOTHING, (error) => {
    if (error === undefined || error === null) then();
  });
}
