import type { Socket } from 'node:net';
import type { AnswerTemplate } from './answers.js';

const startBytes = 64 * 1024;

/**
 * Answers of one read batch, gathered and written by one call. One buffer serves all connections; when the kernel does
 * not take a write at once, that buffer is left to it and the next batch gets a new one.
 */
export class Output {
  private bytes = Buffer.allocUnsafe(startBytes);
  private length = 0;

  add(answer: Buffer): void {
    this.reserve(answer.length);
    answer.copy(this.bytes, this.length);
    this.length += answer.length;
  }

  /** @param source holds the id from `idStart` on, as long as the template's gap */
  addAnswer({ bytes, idAt }: AnswerTemplate, source: Buffer, idStart: number, idEnd: number): void {
    this.reserve(bytes.length);
    bytes.copy(this.bytes, this.length);
    let to = this.length + idAt;
    for (let from = idStart; from < idEnd; from += 1) this.bytes[to++] = source[from] ?? 0;
    this.length += bytes.length;
  }

  flush(socket: Socket): void {
    if (this.length === 0) return;
    socket.write(this.bytes.subarray(0, this.length));
    if (socket.writableLength > 0) this.bytes = Buffer.allocUnsafe(startBytes);
    this.length = 0;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
