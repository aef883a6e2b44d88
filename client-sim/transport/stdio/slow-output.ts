import type { Readable } from 'node:stream';
import { READS_PER_SECOND } from '../http/slow-reader.js';

/**
 * A slow reader of a process: takes a piece, then none until the piece's time is up. What is not taken stays in the
 * stream's own buffer (64 KiB) and in the pipe (64 KiB on Linux); once both are full, the process cannot write.
 */
export class SlowOutput {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly output: Readable,
    private readonly bytesPerSecond: number,
    private readonly take: (chunk: Buffer) => void,
  ) {
    output.on('readable', () => this.read());
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private read(): void {
    if (this.timer !== undefined) return;
    const most = Math.max(1, Math.ceil(this.bytesPerSecond / READS_PER_SECOND));
    const waiting = Math.min(this.output.readableLength, most);
    // Without a length the end is noticed, too.
    const chunk = (waiting === 0 ? this.output.read() : this.output.read(waiting)) as Buffer | null;
    if (chunk === null) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.read();
      },
      (chunk.length / this.bytesPerSecond) * 1000,
    );
    this.take(chunk);
  }
}
