import type { MisbehavePlan } from '../../scenarios/schema/plan.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import type { Draw } from '../mcp/draw.js';
import type { ClientInfo } from '../mcp/revisions.js';
import type { Failure } from '../measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../protocol/messages.js';
import type { StreamCounts } from '../protocol/streams.js';

/**
 * The port between a session slot and a transport. One Channel is one MCP session with its connections (in the
 * stateless era: just its connections). It is the hot path: no promises, no allocation per request.
 *
 * Time is `performance.now()` milliseconds throughout. A ticket is a small integer that the session slot chose; the
 * channel returns it exactly once, in `onAnswer`, unless the slot called `abandon(ticket)` first.
 */
export interface Channel {
  /** Opens the connections and does the handshake; ends in either `onOpen` or `onOpenFailed`, exactly once. */
  open(): void;
  /** How many requests can be sent now. 0 before `onOpen`. */
  readonly room: number;
  /** Time limit of `open`, where a server has to be started first; else that of the profile's operations holds. */
  readonly openTimeoutMs?: number | undefined;
  /**
   * What a server that was started for this session said last, as the end of a sentence; '' for silence. Absent where
   * no server is started.
   */
  readonly serverWords?: string;
  /**
   * Encodes one request into the send buffer. Precondition: `room > 0`. Nothing leaves before `flush`,
   * which the engine calls once for everything that was due together.
   */
  send(template: RequestTemplate, draw: Draw, ticket: number): void;
  flush(): void;
  /**
   * The client no longer waits for this ticket (timeout). A late answer is counted and dropped; a connection on
   * which no other request waits is closed.
   */
  abandon(ticket: number): void;
  /**
   * Ends the session: `delete` ends it as the protocol asks (DELETE), `abandon` just closes the sockets, `reset` closes
   * them with RST. Ends in `onClosed`.
   */
  close(how: 'delete' | 'abandon' | 'reset'): void;
  /**
   * Loses all connections at once, as when a network fails, and opens them again; the session stays. Requests in flight
   * are answered with `aborted_by_us`. Absent where the transport cannot do it (planning refuses such a scenario).
   */
  disconnect?(): void;
  /** Frees everything at once. No event follows. */
  destroy(): void;
}

export interface ChannelEvents {
  /** @param connectMs TCP + TLS + MCP handshake */
  onOpen(connectMs: number): void;
  onOpenFailed(failure: Failure): void;
  /**
   * Everything that one read brought is delivered between these two: requests that its answers cause can wait for the
   * end of the read and then leave in one write. Absent: each answer is handled by itself.
   */
  onReadStart?(nowMs: number): void;
  onReadEnd?(): void;
  /**
   * @param nowMs when the answer's last byte was read
   * @param failure undefined for a correct answer
   * @param replica number of the replica that answered (see `ReplicaNames`); 0 or absent: not known, or there was no
   * answer
   */
  onAnswer(ticket: number, nowMs: number, failure: Failure | undefined, replica?: number): void;
  /**
   * A request of the session itself (handshake, DELETE) was answered by this replica.
   * @param unknown the replica does not know the session
   */
  onControlAnswer?(replica: number, unknown: boolean): void;
  /**
   * Requests that were sent before leave only now, because their connection had to be made first.
   * @param heldUpMs how much of that may be our own doing
   */
  onLeft?(tickets: readonly number[], heldUpMs: number): void;
  /** Room grew without an answer (a connection can be used again), so operations that wait may be sent. */
  onRoom(): void;
  /**
   * The session is over: `close` has finished, or the server forgot the session (`lost`). After `lost` the channel
   * takes no more requests; every ticket in flight has been answered before this call.
   */
  onClosed(reason: 'closed' | 'lost'): void;
}

/** The settings of one session's channel; not every transport uses all of them. */
export interface ChannelConfig extends MisbehavePlan {
  readonly endpoint: Endpoint;
  readonly pinned: PinnedProtocol;
  /** Connections of this session. */
  readonly connections: number;
  /** Requests in flight per connection. */
  readonly pipeline: number;
  readonly clientInfo?: ClientInfo | undefined;
  /** `close('reset')` will be called: over TLS that takes a socket made for it. */
  readonly resettable?: boolean;
  /** Receives what the server sends on its own; undefined: no stream is opened. */
  readonly listener?: StreamListener | undefined;
  /** Time limit of `open`: all connections and the handshake. */
  readonly openTimeoutMs?: number | undefined;
}

/** Default of `openTimeoutMs`. */
export const OPEN_TIMEOUT_MS = 30_000;
/** How long a session may take to end as the protocol asks; then its sockets are closed. */
export const CLOSE_TIMEOUT_MS = 2000;

/** Counters that all channels of a profile share; plain numbers, read once a second. */
export interface WireCounters {
  bytesSent: number;
  bytesReceived: number;
  /** JSON-RPC messages: requests, notifications, and answers to the server's own requests. */
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

/** The stream of a session, as its listener controls it. */
export interface StreamControl {
  /** Opens the stream; does nothing where it is open already or its session is over. */
  start(): void;
  /** Closes it until the next `start`: session, subscriptions and the id of the last event are kept. */
  pause(): void;
}

/** Receives what a server sends on its own, on the stream of one session after another. */
export interface StreamListener {
  /** The resources to subscribe to. */
  readonly uris: readonly string[];
  /** Whether a stream that is opened again asks for what it missed. */
  readonly resume: boolean;
  /** The session is open; `stream` is its stream until `onSessionEnd`. */
  onReady(stream: StreamControl): void;
  /** The subscription to `uris[index]` is requested now; ends in `onSubscribed` or with `onSessionEnd`. */
  onSubscribing(index: number): void;
  /** @param failure undefined: from now on the server reports updates */
  onSubscribed(index: number, failure: Failure | undefined): void;
  /**
   * `notifications/resources/updated`, bytes valid only during the call.
   * @param nowMs when it was read
   */
  onUpdate(bytes: Buffer, start: number, end: number, nowMs: number): void;
  /** The session has ended, and with it its subscriptions. */
  onSessionEnd(): void;
}
