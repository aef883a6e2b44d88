import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../measure/failure.js';

/**
 * How messages are separated in the bytes of one connection; implemented by WebSocket frames and by lines. Each
 * connection has its own.
 */
export interface Framing {
  /** Sent as soon as the connection is up; undefined: messages can be sent at once. */
  readonly opening: Buffer | undefined;
  /** Why it stopped reading. */
  readonly problem: string;
  /** It stopped reading because of the length of a message. */
  readonly isOverLimit: boolean;
  /** The message that reports the problem to the server; undefined: there is none. */
  readonly errorReply: Buffer | undefined;
  /** No byte of a message has been read yet. */
  readonly idle: boolean;
  /** Upper bound of a framed request. */
  maxBytes(template: RequestTemplate): number;
  /** Writes a framed request at `at` and returns where it ends. */
  writeRequest(into: Buffer, at: number, template: RequestTemplate, id: number, draw: Draw): number;
  /** Frames any message, for cold paths. */
  frame(message: string): Buffer;
  /** The message that ends the session before the connection is closed; undefined: there is none. */
  closeMessage(): Buffer | undefined;
  /** Reads everything in bytes[0, end). @returns false: the bytes cannot be read, see `problem` */
  read(bytes: Buffer, end: number, handler: FramingHandler): boolean;
  /** The message just delivered was not UTF-8: `read` will return false. */
  rejectText(): void;
  /** Ignores the rest of this read. */
  stop(): void;
}

export interface FramingHandler {
  /** The server has accepted the `opening`. */
  onAccepted(): void;
  onRefused(problem: Problem, retryAfter: string, answer: string): void;
  /** One message; its bytes are valid only during the call, and need not be UTF-8. */
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** The framing itself has to send something, a pong for example. */
  onReply(frame: Buffer): void;
  /** The server announced that it closes the connection. @param how completes "the server closed the connection" */
  onPeerClose(how: string): void;
}
