/** A buffer that one connection fills with requests until they are flushed together. */
export class SendBuffer {
  readonly bytes: Buffer;
  used = 0;
  private view: Buffer | undefined;

  constructor(size: number) {
    // Slow: not from the shared slab, which a long-lived slice would keep alive.
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** The used bytes. The last view is kept: requests tend to have one length, and a view costs 50 ns. */
  filled(): Buffer {
    if (this.view === undefined || this.view.length !== this.used) this.view = this.bytes.subarray(0, this.used);
    return this.view;
  }
}

const STANDARD_BYTES = 65_536;
const MAX_KEPT = 64;

/**
 * Send buffers of one engine thread. The kernel takes nearly every write at once, so a few buffers are reused, last in
 * first out and warm in the cache, instead of one per connection.
 */
export class SendBufferPool {
  private readonly free: SendBuffer[] = [];

  take(bytes: number): SendBuffer {
    if (bytes > STANDARD_BYTES) return new SendBuffer(bytes);
    const buffer = this.free.pop() ?? new SendBuffer(STANDARD_BYTES);
    buffer.used = 0;
    return buffer;
  }

  /** Returns a larger buffer with the same content and frees the smaller one. */
  grow(buffer: SendBuffer, bytes: number): SendBuffer {
    const larger = new SendBuffer(2 * bytes);
    buffer.bytes.copy(larger.bytes, 0, 0, buffer.used);
    larger.used = buffer.used;
    this.release(buffer);
    return larger;
  }

  release(buffer: SendBuffer): void {
    if (buffer.bytes.length === STANDARD_BYTES && this.free.length < MAX_KEPT) this.free.push(buffer);
  }
}
