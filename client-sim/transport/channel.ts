import type { MisbehavePlan } from '../../scenarios/schema/plan.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import type { Draw } from '../mcp/draw.js';
import type { ClientInfo } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { StreamCounts } from '../protocol/streams.js';

/**
 * The port between a virtual client and a way to reach the server. One Channel is one MCP session with its
 * connections (in the stateless era: just its connections). It is the hot path: no promises, no allocation per request.
 *
 * Time is `performance.now()` milliseconds throughout. A ticket is a small integer the client chose; the channel
 * gives it back exactly once, in `onAnswer`, unless the client said `abandon(ticket)` first.
 */

/** What any transport may need to make the channel of one session. */
export interface ChannelConfig extends MisbehavePlan {
  readonly endpoint: Endpoint;
  readonly pinned: PinnedProtocol;
  /** Connections of this session. */
  readonly connections: number;
  /** Requests in flight per connection. */
  readonly pipeline: number;
  readonly clientInfo?: ClientInfo | undefined;
  /** `close('reset')` will be asked for: over TLS that takes a socket made for it. */
  readonly resettable?: boolean;
  /** Who hears what the server says by itself; undefined: no stream is opened. */
  readonly listener?: StreamListener | undefined;
  /** Budget of `open`: all connections and the handshake. Default 30 s. */
  readonly openTimeoutMs?: number | undefined;
}

export interface Channel {
  /** Opens connections and shakes hands; ends in `onOpen` or `onOpenFailed`, never both, always one. */
  open(): void;
  /** How many requests can be put on the wire now. 0 before `onOpen`. */
  readonly room: number;
  /**
   * Encodes one request into the send buffer. Precondition: `room > 0`. Nothing leaves before `flush`,
   * which the engine calls once for everything that was due together.
   */
  send(template: RequestTemplate, draw: Draw, ticket: number): void;
  flush(): void;
  /**
   * The client no longer waits for this ticket (timeout). A late answer is counted and dropped; a connection on which
   * nobody waits any more is closed.
   */
  abandon(ticket: number): void;
  /**
   * Ends the session: `delete` says goodbye (DELETE), `abandon` just closes the sockets, `reset` closes them with RST.
   * Ends in `onClosed`.
   */
  close(how: 'delete' | 'abandon' | 'reset'): void;
  /**
   * Loses all connections at once, as when a network fails, and makes them again; the session stays. Requests in flight
   * are answered with `aborted_by_us`. Absent where the transport cannot (a scenario that asks for it was refused).
   */
  breakOff?(): void;
  /** Frees everything at once. No event follows. */
  destroy(): void;
}

export interface ChannelEvents {
  /** @param connectMs TCP + TLS + MCP handshake */
  onOpen(connectMs: number): void;
  onOpenFailed(failure: Failure): void;
  /**
   * Between these two, everything that one read brought is given out: what an answer makes its client send can wait for
   * the end of the read, and then goes in one turn. Absent: each answer is a turn of its own.
   */
  onReadStart?(nowMs: number): void;
  onReadOver?(): void;
  /**
   * @param nowMs when the answer's last byte was read
   * @param failure undefined for a correct answer
   * @param replica number of the replica that answered (see `ReplicaNames`); 0 or absent: not known, or there was no
   * answer
   */
  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica?: number): void;
  /**
   * A request of the session itself was answered (handshake, goodbye) by this replica.
   * @param unknown it does not know the session
   */
  onControlAnswer?(replica: number, unknown: boolean): void;
  /** Room grew without an answer (a connection came back), so waiting arrivals may go. */
  onRoom(): void;
  /**
   * The session is over: `close` has finished, or the server forgot the session (`lost`). After `lost` the channel
   * takes no more requests; every ticket in flight has been answered before this call.
   */
  onClosed(reason: 'closed' | 'lost'): void;
}

/** Counters a channel shares with all channels of its profile; plain numbers, read once a second. */
export interface WireCounters {
  bytesSent: number;
  bytesReceived: number;
  /** JSON-RPC messages, requests and notifications and answers to the server's own requests. */
  messagesSent: number;
  messagesReceived: number;
  connectionsOpened: number;
  connectionsActive: number;
  /** Answers that came after their ticket was abandoned. */
  lateAnswers: number;
  /** Writes that found the socket's buffer not empty. */
  backpressure: number;
  readonly streams: StreamCounts;
}

/** A session's stream, as whoever listens on it handles it. */
export interface StreamControl {
  /** Opens the stream; nothing where it is open already or its session is over. */
  start(): void;
  /** Closes it, to be started again: session, subscriptions and the id of the last event are kept. */
  leave(): void;
}

/** Hears what a server says by itself on the stream of one session, and of the next one when that ends. */
export interface StreamListener {
  /** What to subscribe to. */
  readonly uris: readonly string[];
  /** Whether a stream opened again asks for what it missed. */
  readonly resume: boolean;
  /** The session is open; `stream` is its stream until `onOver`. */
  onReady(stream: StreamControl): void;
  /** The subscription to `uris[index]` is asked for now; ends in `onSubscribed` or with `onOver`. */
  onSubscribing(index: number): void;
  /** @param failure undefined: from now on the server tells of it */
  onSubscribed(index: number, failure: Failure | undefined): void;
  /**
   * `notifications/resources/updated`, bytes valid only during the call.
   * @param nowMs when it was read
   */
  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void;
  /** The session has ended, and with it whatever was asked for. */
  onOver(): void;
}
