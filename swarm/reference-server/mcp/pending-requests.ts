import { describe, type Inbound } from './inbound.js';
import { type Outcome, outcomeOf } from './outcome.js';

/** Counts messages and what goes out on streams. */
export interface MessageObserver {
  /** Called once for every request and notification, when it has been read. */
  onBegin(inbound: Inbound): void;
  /** Called once for each of those, when its answer has been written or its client has gone. */
  onEnd(inbound: Inbound, outcome: Outcome, durationMs: number): void;
  readonly streams: StreamObserver;
}

interface StreamObserver {
  /** A client has opened a stream that it keeps open. */
  streamOpened(): void;
  streamClosed(): void;
  /** A piece of any stream has been written. */
  streamed(text: string): void;
}

/** The unanswered requests of one connection that carries messages both ways. */
export class PendingRequests {
  private readonly pending = new Map<unknown, { readonly inbound: Inbound; readonly startedAt: number }>();

  constructor(private readonly observer: MessageObserver) {}

  /** @param message from the client, parsed */
  received(message: unknown): Inbound {
    const inbound = describe(message);
    const id = requestId(message);
    this.observer.onBegin(inbound);
    if (id === undefined) this.observer.onEnd(inbound, 'ok', 0);
    else this.pending.set(id, { inbound, startedAt: performance.now() });
    return inbound;
  }

  /** @param text the answer as it was sent */
  answered(id: unknown, text: string): void {
    this.end(id, outcomeOf(200, text));
  }

  /** The client is gone and reads no more answers. */
  abort(): void {
    for (const id of this.pending.keys()) this.end(id, 'aborted');
  }

  private end(id: unknown, outcome: Outcome): void {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    this.pending.delete(id);
    this.observer.onEnd(pending.inbound, outcome, performance.now() - pending.startedAt);
  }
}

/** Undefined for a message that gets no answer: a notification, or an answer to the server's own request. */
function requestId(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'method' in message && 'id' in message
    ? message.id
    : undefined;
}
