/**
 * Waits for permission to connect. `begin` returns whether it still wants to connect; if so it calls
 * `ConnectLimiter.release` once it is connected or has failed.
 */
export interface Connecting {
  begin(): boolean;
}

/**
 * Limits how many connects are in progress at once in this engine. A server's kernel drops those beyond its accept
 * queue, and our kernel repeats them after a second, which would be measured as the server's latency.
 */
export class ConnectLimiter {
  private pending = 0;
  private readonly queue: Connecting[] = [];
  private head = 0;

  constructor(private readonly max = 256) {}

  acquire(one: Connecting): void {
    this.queue.push(one);
    this.admit();
  }

  release(): void {
    this.pending--;
    this.admit();
  }

  private admit(): void {
    while (this.pending < this.max && this.head < this.queue.length) {
      const next = this.queue[this.head++] as Connecting;
      this.pending++;
      if (!next.begin()) this.pending--;
    }
    if (this.head === this.queue.length) {
      this.queue.length = 0;
      this.head = 0;
    }
  }
}
