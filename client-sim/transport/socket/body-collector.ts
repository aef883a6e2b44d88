const EMPTY = Buffer.alloc(0);

/**
 * The contiguous bytes of one body. A body that lies whole in the read buffer is never copied; one that came in several
 * chunks or reads is gathered in a buffer of its own, which grows by doubling.
 */
export class BodyCollector {
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;
  private owned = false;

  get length(): number {
    return this.end - this.start;
  }

  /** The body still lies in the read buffer, uncopied. */
  get inPlace(): boolean {
    return !this.owned;
  }

  reset(): void {
    // The buffer is not kept: each of thousands of connections may have received one large answer.
    this.bytes = EMPTY;
    this.start = 0;
    this.end = 0;
    this.owned = false;
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (this.length === 0 && !this.owned) {
      this.bytes = bytes;
      this.start = start;
      this.end = end;
      return;
    }
    this.own(end - start);
    bytes.copy(this.bytes, this.end, start, end);
    this.end += end - start;
  }

  /** The read buffer is about to be reused: copies the bytes that still lie in it. */
  settle(): void {
    if (this.length > 0 && !this.owned) this.own(0);
  }

  private own(extra: number): void {
    const length = this.length;
    if (this.owned && this.end + extra <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(this.owned ? 2 * (length + extra) : length + extra);
    this.bytes.copy(larger, 0, this.start, this.end);
    this.bytes = larger;
    this.start = 0;
    this.end = length;
    this.owned = true;
  }
}
