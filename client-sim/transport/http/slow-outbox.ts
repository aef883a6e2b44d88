import type { Writable } from 'node:stream';
import type { WireCounters } from '../channel.js';
import { Outbox } from './outbox.js';
import type { Pace } from './pace.js';
import type { SendBufferPool } from './send-buffers.js';

/** Writes per second of a slow writer: each leaves as a segment of its own, and the rate is smooth. */
const WRITES_PER_SECOND = 10;

/**
 * An outbox that lets bytes trickle: a piece, then nothing until the piece's time is up. What is flushed meanwhile
 * waits its turn.
 */
export class SlowOutbox extends Outbox {
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
