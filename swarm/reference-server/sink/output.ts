import type { Socket } from 'node:net';
import type { AnswerTemplate } from './answers.js';

const START_BYTES = 64 * 1024;

/** A connection with more unwritten answers is not read until its client has caught up. */
export const MAX_UNWRITTEN_BYTES = 4 * 1024 * 1024;

/**
 * The answers to one read, gathered and written by one call. One buffer serves all connections; when the kernel does
 * not take a write at once, it keeps the buffer and the next answers get a new one.
 */
export class Output {
  private bytes = Buffer.allocUnsafe(START_BYTES);
  private length = 0;

  add(answer: Buffer): void {
    this.reserve(answer.length);
    answer.copy(this.bytes, this.length);
    this.length += answer.length;
  }

  /** @param source holds the id from `idStart` to `idEnd`, as long as the gap of the template */
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
    if (socket.writableLength > 0) this.bytes = Buffer.allocUnsafe(START_BYTES);
    this.length = 0;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
