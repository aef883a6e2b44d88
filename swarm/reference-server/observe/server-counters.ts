import type { Outcome } from '../mcp/outcome.js';

type Counts = Record<string, Record<string, number>>;

/** `GET /stats`: exact, since the start or the last `reset_counters`. */
export interface Stats {
  readonly id: string;
  /** HTTP exchanges answered to the last byte. */
  readonly answered: number;
  /** Exchanges whose client left before its answer was complete; not in `answered`. */
  readonly aborted: number;
  /** By method, then outcome; `aborted` ones included. */
  readonly requests: Readonly<Counts>;
  /** `tools/call` only: by tool, then outcome. Tools this server does not have are `(unknown)`. */
  readonly tools: Readonly<Counts>;
  readonly sessions: {
    readonly active: number;
    readonly opened: number;
    readonly closed: number;
    readonly expired: number;
  };
  readonly connections: { readonly active: number; readonly opened: number };
  /** Publications to topics. */
  readonly published: number;
  /** GET streams and `subscriptions/listen`; notifications are counted on any stream, in either era. */
  readonly streams: {
    readonly active: number;
    readonly opened: number;
    /** `notifications/resources/updated`, including those sent again. */
    readonly updates: number;
    readonly progress: number;
    /** Events sent again to streams that were resumed. */
    readonly replayed: number;
    /** Events dropped: a stream that is resumed from before them misses them. */
    readonly forgotten: number;
  };
}

interface CurrentCounts {
  readonly sessions: number;
  readonly connections: number;
  readonly published: number;
}

/** Counts every exchange once, when it has ended. */
export class ServerCounters {
  private answered = 0;
  private aborted = 0;
  private requests: Counts = {};
  private tools: Counts = {};
  private opened = 0;
  private closed = 0;
  private expired = 0;
  private connectionsOpened = 0;
  private streamsActive = 0;
  private streamsOpened = 0;
  private updates = 0;
  private progress = 0;
  private _replayed = 0;
  private _forgotten = 0;

  exchangeEnded(label: string, tool: string | undefined, outcome: Outcome): void {
    if (outcome === 'aborted') this.aborted += 1;
    else this.answered += 1;
    count(this.requests, label, outcome);
    if (tool !== undefined) count(this.tools, tool, outcome);
  }

  sessionOpened(): void {
    this.opened += 1;
  }

  sessionClosed(): void {
    this.closed += 1;
  }

  sessionExpired(): void {
    this.expired += 1;
  }

  connectionOpened(): void {
    this.connectionsOpened += 1;
  }

  streamOpened(): void {
    this.streamsActive += 1;
    this.streamsOpened += 1;
  }

  streamClosed(): void {
    this.streamsActive -= 1;
  }

  /** Both SDKs write one event in one piece. */
  streamed(text: string): void {
    if (text.includes('"method":"notifications/resources/updated"')) this.updates += 1;
    else if (text.includes('"method":"notifications/progress"')) this.progress += 1;
  }

  replayed(): void {
    this._replayed += 1;
  }

  forgotten(): void {
    this._forgotten += 1;
  }

  /** Resets the totals; what is open now stays visible as active. */
  reset(): void {
    this.answered = this.aborted = this.opened = this.closed = this.expired = this.connectionsOpened = 0;
    this.streamsOpened = this.updates = this.progress = this._replayed = this._forgotten = 0;
    this.requests = {};
    this.tools = {};
  }

  stats(id: string, now: CurrentCounts): Stats {
    return {
      id,
      answered: this.answered,
      aborted: this.aborted,
      requests: this.requests,
      tools: this.tools,
      sessions: { active: now.sessions, opened: this.opened, closed: this.closed, expired: this.expired },
      connections: { active: now.connections, opened: this.connectionsOpened },
      published: now.published,
      streams: {
        active: this.streamsActive,
        opened: this.streamsOpened,
        updates: this.updates,
        progress: this.progress,
        replayed: this._replayed,
        forgotten: this._forgotten,
      },
    };
  }
}

function count(counts: Counts, key: string, outcome: string): void {
  const row = (counts[key] ??= {});
  row[outcome] = (row[outcome] ?? 0) + 1;
}
