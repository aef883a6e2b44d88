import type { Outcome } from '../mcp/answer.js';

type Counts = Record<string, Record<string, number>>;

/** `GET /stats`: exact, since the start or the last `reset_counters`. */
export interface Stats {
  readonly id: string;
  /** HTTP exchanges answered to the last byte. */
  readonly answered: number;
  /** Exchanges whose client went away before its answer was complete; not in `answered`. */
  readonly aborted: number;
  /** By method, then outcome; `aborted` ones included. */
  readonly requests: Readonly<Counts>;
  /** `tools/call` only: by tool, then outcome. Tools this server does not have are `(unknown)`. */
  readonly tools: Readonly<Counts>;
  readonly sessions: { readonly active: number; readonly opened: number; readonly closed: number; readonly expired: number };
  readonly connections: { readonly active: number; readonly opened: number };
}

/** Counts every exchange once, when it has ended. */
export class Tally {
  #answered = 0;
  #aborted = 0;
  #requests: Counts = {};
  #tools: Counts = {};
  #opened = 0;
  #closed = 0;
  #expired = 0;
  #connectionsOpened = 0;

  exchangeEnded(label: string, tool: string | undefined, outcome: Outcome): void {
    if (outcome === 'aborted') this.#aborted += 1;
    else this.#answered += 1;
    count(this.#requests, label, outcome);
    if (tool !== undefined) count(this.#tools, tool, outcome);
  }

  sessionOpened(): void {
    this.#opened += 1;
  }

  sessionClosed(): void {
    this.#closed += 1;
  }

  sessionExpired(): void {
    this.#expired += 1;
  }

  connectionOpened(): void {
    this.#connectionsOpened += 1;
  }

  /** Forgets requests and sessions of the past; what is open now stays visible as active. */
  reset(): void {
    this.#answered = this.#aborted = this.#opened = this.#closed = this.#expired = this.#connectionsOpened = 0;
    this.#requests = {};
    this.#tools = {};
  }

  stats(id: string, activeSessions: number, activeConnections: number): Stats {
    return {
      id,
      answered: this.#answered,
      aborted: this.#aborted,
      requests: this.#requests,
      tools: this.#tools,
      sessions: { active: activeSessions, opened: this.#opened, closed: this.#closed, expired: this.#expired },
      connections: { active: activeConnections, opened: this.#connectionsOpened },
    };
  }
}

function count(counts: Counts, key: string, outcome: string): void {
  const row = (counts[key] ??= {});
  row[outcome] = (row[outcome] ?? 0) + 1;
}
