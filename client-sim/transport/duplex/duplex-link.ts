import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../mcp/judge-message.js';
import type { ChannelConfig } from '../channel.js';
import type { WireShared } from '../shared.js';
import type { Pace } from '../socket/pace.js';

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

/** Hears what happens to a link. */
export interface DuplexOwner {
  /** Messages can be sent. */
  onReady(): void;
  /**
   * Between these two, all messages of one read are given out; what they make the owner send can wait for the second.
   */
  onTurnStart?(nowMs: number): void;
  onTurnOver?(): void;
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** Told once, unless the owner cut it: it could not be made, or is no more. */
  onLost(loss: LinkLoss): void;
  /** What the kernel would not take has gone: `isBacklogged` is over. */
  onDrained(): void;
  /** The server would not take this request; where messages go one by one, it can say so. */
  onRefusedRequest(id: number, problem: Problem, answer: Pick<LinkLoss, 'retryAfter' | 'answer'>): void;
}

/** Why a link is no more, or never was. */
export interface LinkLoss {
  readonly problem: Problem;
  /** `Retry-After` of an answer that refused; '' without one. */
  readonly retryAfter: string;
  /** What the server said, if anything. */
  readonly answer: string;
}

export interface LinkConfig
  extends Pace,
    Pick<ChannelConfig, 'endpoint' | 'pinned' | 'connections' | 'pipeline' | 'resettable'> {}

/**
 * Makes what carries the messages of one session.
 * @throws TypeError for an endpoint that cannot be spoken to: a URL of another scheme, headers that cannot be sent
 */
export type CreateLink = (owner: DuplexOwner, shared: WireShared, config: LinkConfig) => DuplexLink;
