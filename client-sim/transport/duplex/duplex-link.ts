import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../mcp/judge-message.js';

/**
 * Room for more than anybody sends; a small integer, where Infinity would make a double of every number it is compared
 * with.
 */
export const NO_LIMIT = 0x3fffffff;

/**
 * What carries messages both ways for one session: a socket (`DuplexConnection`), an event stream with posts beside it,
 * the pipes of a process. It is made once and never comes back; what happens to it is told to its `DuplexOwner`.
 */
export interface DuplexLink {
  readonly startedAtMs: number;
  /** When the read now being worked on came. */
  readonly nowMs: number;
  readonly isReady: boolean;
  /** How many requests can be put now; when it was 0, `onDrained` says that it no longer is. */
  readonly room: number;
  /** The server takes less than is sent: what need not be said is better not said. */
  readonly isBacklogged: boolean;
  connect(): void;
  /** One request of the load. Nothing leaves before `flush`. */
  put(template: RequestTemplate, id: number, draw: Draw): void;
  /** Nobody waits for this request any more. */
  abandon(id: number): void;
  /** One message that is not load; leaves at once. */
  say(message: string): void;
  /**
   * Bytes that stand for so many messages, as they are: right or wrong is for the caller to know. Not within a read.
   * @param sent the kernel has taken them all
   */
  raw(pieces: readonly Buffer[], sent: () => void): void;
  flush(): void;
  /** Ends it politely; that it is over comes as its loss. */
  leave(): void;
  /** It cannot go on: what came makes no sense. */
  fail(problem: Problem): void;
  /** For good, and without a word to the owner. @param reset as rudely as it can be done */
  cut(reset: boolean): void;
  /** The message just given to the owner is not UTF-8. */
  rejectText(): void;
}
