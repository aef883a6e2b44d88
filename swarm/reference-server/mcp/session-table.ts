import { randomUUID } from 'node:crypto';
import { EventRing, type ReplayObserver } from './event-ring.js';
import { type LegacyServerFactory, LegacyTransport } from './legacy-server.js';

interface SessionLimits {
  /** An unused session expires after this time. */
  readonly ttlMs: number;
  readonly maxSessions: number;
  /** How many events of a session are kept for streams that are resumed; 0: none, streams cannot be resumed. */
  readonly replay: number;
  /** Keeps the events of answers, too, and not only those of the session's own stream. */
  readonly replayAnswers: boolean;
}

/** Called once when a session opens and once when it ends. */
export interface SessionObserver extends ReplayObserver {
  sessionOpened(): void;
  sessionClosed(): void;
  sessionExpired(): void;
}

export interface Session {
  readonly transport: LegacyTransport;
  /** Open HTTP exchanges, streams among them; a session with any does not expire. */
  exchanges: number;
  /** Milliseconds of the monotonic clock. */
  lastUsedAt: number;
}

/** After this time a client is to resume a call whose stream was closed. */
const RETRY_MS = 500;

/** The sessions of the session era: opened by `initialize`, ended by DELETE, by age or with the server. */
export class SessionTable {
  private readonly sessions = new Map<string, Session>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly newServer: LegacyServerFactory,
    private readonly replica: string,
    private readonly limits: SessionLimits,
    private readonly observer: SessionObserver,
  ) {
    this.sweeper = setInterval(() => this.expire(), Math.min(Math.max(limits.ttlMs / 4, 10), 5_000));
    this.sweeper.unref();
  }

  get size(): number {
    return this.sessions.size;
  }

  get full(): boolean {
    return this.sessions.size >= this.limits.maxSessions;
  }

  find(id: string): Session | undefined {
    return this.sessions.get(id);
  }

  /**
   * Makes a session that is not yet in the table: the transport adds it when it has accepted the `initialize`.
   * @param json answers are JSON bodies instead of event streams
   */
  async prepare(json: boolean): Promise<Session> {
    const subscriptions = new Map<string, () => void>();
    const server = this.newServer(subscriptions);
    const transport = new LegacyTransport(this.replica, {
      sessionIdGenerator: randomUUID,
      enableJsonResponse: json,
      // With answers as streams, their events would push out those that the session's own stream may ask for again.
      ...((json || this.limits.replayAnswers) && this.limits.replay > 0
        ? { eventStore: new EventRing(this.limits.replay, this.observer) }
        : {}),
      ...(this.limits.replayAnswers ? { retryInterval: RETRY_MS } : {}),
      onsessioninitialized: (id) => {
        this.sessions.set(id, session);
        this.observer.sessionOpened();
      },
    });
    const session: Session = { transport, exchanges: 0, lastUsedAt: performance.now() };
    server.onclose = () => {
      for (const end of subscriptions.values()) end();
      subscriptions.clear();
      const id = transport.sessionId;
      if (id !== undefined && this.sessions.delete(id)) this.observer.sessionClosed();
    };
    await server.connect(transport);
    return session;
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    await Promise.all([...this.sessions.values()].map(({ transport }) => transport.close()));
  }

  private expire(): void {
    const expiredBefore = performance.now() - this.limits.ttlMs;
    for (const [id, { transport, exchanges, lastUsedAt }] of this.sessions) {
      if (exchanges > 0 || lastUsedAt > expiredBefore) continue;
      // Out of the table first, so that the closing transport does not count it as closed by its client.
      this.sessions.delete(id);
      this.observer.sessionExpired();
      void transport.close();
    }
  }
}
