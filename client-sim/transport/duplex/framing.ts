import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../mcp/judge-message.js';

/**
 * How messages lie in one connection's bytes: the port that WebSocket frames and lines implement. Made anew for every
 * connection.
 */
export interface Framing {
  /** Sent as soon as the connection is up; undefined: messages may go at once. */
  readonly opening: Buffer | undefined;
  /** Why it gave up; what to say to the server then, if anything. */
  readonly problem: string;
  readonly complaint: Buffer | undefined;
  /** Nothing of a message has been read yet. */
  readonly idle: boolean;
  /** Upper bound of a framed request. */
  maxBytes(template: RequestTemplate): number;
  /** Writes a framed request at `at` and returns where it ends. */
  writeRequest(into: Buffer, at: number, template: RequestTemplate, id: number, draw: Draw): number;
  /** Any message, framed: for cold paths. */
  frame(message: string): Buffer;
  /** What ends the session politely before the connection is ended; undefined: nothing. */
  goodbye(): Buffer | undefined;
  /** Works on everything in bytes[0, end). @returns false: what came cannot be read, see `problem` */
  read(bytes: Buffer, end: number, handler: FramingHandler): boolean;
  /** The message just given was not UTF-8: `read` will say false. */
  rejectText(): void;
  /** No more of this read is to be worked on. */
  stop(): void;
}

export interface FramingHandler {
  /** The server has accepted what `opening` asked. */
  onAccepted(): void;
  onRefused(problem: Problem, retryAfter: string, answer: string): void;
  /** One message; its bytes do not outlive the call, and need not be UTF-8. */
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** The framing itself has something to say, a pong for example. */
  onReply(frame: Buffer): void;
  /** The server has said that it ends the connection. */
  onGoodbye(words: string): void;
}
