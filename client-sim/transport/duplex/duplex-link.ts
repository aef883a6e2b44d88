import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import type { Problem } from '../../measure/failure.js';
import type { ChannelConfig } from '../channel.js';
import type { ProfileShared } from '../shared.js';
import type { Pace } from '../socket/pace.js';

/**
 * Carries messages both ways for one session: a socket (`DuplexConnection`), an event stream with POSTs beside it, or
 * the pipes of a process. It connects once and never comes back; its `DuplexOwner` receives its events.
 */
export interface DuplexLink {
  readonly startedAtMs: number;
  /** When the current read came. */
  readonly nowMs: number;
  readonly isReady: boolean;
  /** How many requests can be sent now; after it was 0, `onDrained` reports that it no longer is. */
  readonly room: number;
  /** The server takes less than is sent: messages that are not necessary should not be sent. */
  readonly isBacklogged: boolean;
  /** The last that a server which the link started wrote to its standard error; absent for other links. */
  readonly serverWords?: string;
  connect(): void;
  /** Writes one request of the load. Nothing leaves before `flush`. */
  send(template: RequestTemplate, id: number, draw: Draw): void;
  /** The client no longer waits for this request. */
  abandon(id: number): void;
  /** Sends one message that is not load, at once. */
  sendMessage(message: string): void;
  /**
   * Sends bytes as they are, each piece in place of a message; they need not be correct. Not within a read.
   * @param sent the kernel has taken them all
   */
  sendRaw(pieces: readonly Buffer[], sent: () => void): void;
  flush(): void;
  /** Ends the session as the protocol asks; its end is reported by `onLost`. */
  close(): void;
  /** Ends the link, because the server sent something that makes no sense. */
  fail(problem: Problem): void;
  /** Frees everything at once. No event follows. @param reset with RST instead of FIN, where that is possible */
  destroy(reset: boolean): void;
  /** The message just given to the owner is not UTF-8. */
  rejectText(): void;
}

/**
 * Room for more requests than any client sends; a small integer, where Infinity would make a double of every number it
 * is compared with.
 */
export const NO_LIMIT = 0x3fffffff;

/** Receives the events of a link. */
export interface DuplexOwner {
  /** Messages can be sent. */
  onReady(): void;
  /**
   * All messages of one read are delivered between these two; messages that the owner sends because of them can wait
   * for the second.
   */
  onReadStart?(nowMs: number): void;
  onReadEnd?(): void;
  onMessage(bytes: Buffer, start: number, end: number): void;
  /** Called once, unless the owner destroyed it: it could not connect, or has ended. */
  onLost(loss: LinkLoss): void;
  /** The server has taken the backlog: `isBacklogged` is over. */
  onDrained(): void;
  /** The server refused this request; only where each message is sent by itself. */
  onRefusedRequest(id: number, problem: Problem, answer: Pick<LinkLoss, 'retryAfter' | 'answer'>): void;
}

/** What a started server wrote to its standard error, for a sample. */
export function onStderr(serverWords: string): string {
  return `(the last bytes on stderr)\n${serverWords}`;
}

const MAX_AFTERWORD_CHARACTERS = 400;

/** The same for the end of a sentence: one line. */
export function afterword(serverWords: string | undefined): string {
  const line = (serverWords ?? '').replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  if (line === '') return '';
  const short = line.length > MAX_AFTERWORD_CHARACTERS ? `...${line.slice(-MAX_AFTERWORD_CHARACTERS)}` : line;
  return `; its last words on stderr: ${short}`;
}

/** Why a link has ended, or could not connect. */
export interface LinkLoss {
  readonly problem: Problem;
  /** `Retry-After` of an answer that refused; '' without one. */
  readonly retryAfter: string;
  /** The server's answer, if there was one. */
  readonly answer: string;
}

export interface LinkConfig
  extends Pace,
    Pick<ChannelConfig, 'endpoint' | 'pinned' | 'connections' | 'pipeline' | 'resettable'> {}

/**
 * Makes the link of one session.
 * @throws TypeError for an endpoint that cannot be spoken to: a URL of another scheme, headers that cannot be sent
 */
export type CreateLink = (owner: DuplexOwner, shared: ProfileShared, config: LinkConfig) => DuplexLink;
