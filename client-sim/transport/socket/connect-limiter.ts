/**
 * Somebody who waits for leave to connect. `begin` says whether it still wants to; if so it calls `release` when
 * connected or failed.
 */
export interface Connecting {
  begin(): boolean;
}

/**
 * Caps how many connects are under way at once in this engine. More than a server's accept queue holds are dropped by
 * its kernel and come back after a second, which would be measured as the server's doing.
 */
export class ConnectLimiter {
  private readonly max: number;
  private pending = 0;
  private readonly queue: Connecting[] = [];
  private head = 0;

  constructor(max = 256) {
    this.max = max;
  }

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
