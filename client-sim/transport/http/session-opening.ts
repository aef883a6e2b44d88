import type { Problem } from '../../mcp/judge-message.js';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import type { Failure } from '../../measure/failure.js';
import type { ChannelConfig } from '../channel.js';
import type { ControlAnswer } from '../control.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import { type Greeting, greet } from '../handshake.js';
import type { Connection } from './connection.js';
import type { ConnectionSet } from './connection-set.js';
import type { ControlSender } from './control-sender.js';

const OPEN_TIMEOUT_MS = 30_000;

export type Opened =
  /** @property greeting undefined in the stateless era, which agrees on nothing beforehand */
  | { readonly kind: 'open'; readonly greeting: Greeting | undefined; readonly startedAtMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** How a session is opened: all its connections, and the handshake on the first of them. */
export class SessionOpening {
  private greeting: Greeting | undefined;
  private over = false;
  private readonly timer: NodeJS.Timeout;
  private readonly budgetMs: number;

  /** @param done told once, unless it was cancelled */
  constructor(
    private readonly config: ChannelConfig,
    private readonly connections: ConnectionSet,
    private readonly controlSender: ControlSender,
    private readonly memory: EndpointMemory,
    private readonly done: (outcome: Opened) => void,
  ) {
    this.budgetMs = config.openTimeoutMs ?? OPEN_TIMEOUT_MS;
    this.timer = setTimeout(() => this.timedOut(), this.budgetMs);
    connections.connect();
  }

  cancel(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  onUp(connection: Connection): void {
    if (connection === this.connections.all[0] && !this.isGreeted) this.greet(connection);
    else this.openWhenReady();
  }

  /** @param failure undefined: the server closed a connection that was not in use yet */
  onDown(connection: Connection, failure: Failure | undefined): void {
    if (connection === this.controlSender.side) return;
    if (failure === undefined) connection.connect();
    else this.end({ kind: 'failed', failure });
  }

  private get isGreeted(): boolean {
    return this.config.pinned.era === 'modern' || this.greeting !== undefined;
  }

  private greet(connection: Connection): void {
    const { pinned, clientInfo } = this.config;
    greet(
      (kind, body, control) => this.controlSender.control(connection, kind, body, control),
      pinned.version,
      clientInfo ?? CLIENT_INFO,
      (outcome) => {
        if (this.over) return;
        if (outcome.kind === 'failed') return this.end({ kind: 'failed', failure: outcome.failure });
        if (outcome.kind === 'refused')
          return this.end({ kind: 'failed', failure: this.refusal(outcome.problem, outcome.body, outcome.answer) });
        this.greeting = outcome.greeting;
        this.openWhenReady();
      },
    );
  }

  private openWhenReady(): void {
    const { all, up } = this.connections;
    if (!this.isGreeted || up < all.length) return;
    this.end({
      kind: 'open',
      greeting: this.greeting,
      startedAtMs: Math.min(...all.map((connection) => connection.startedAtMs)),
    });
  }

  private timedOut(): void {
    const {
      connections: { all, up },
      budgetMs,
    } = this;
    const failure: Failure =
      up < all.length
        ? { category: 'connect', detail: `${up} of ${all.length} connections were up after ${budgetMs} ms` }
        : { category: 'timeout', detail: `no answer to the handshake within ${budgetMs} ms` };
    this.end({ kind: 'failed', failure });
  }

  private refusal(problem: Problem, body: string, answer: ControlAnswer): Failure {
    const request = {
      kind: () => ({ verb: 'POST', version: this.config.pinned.version }) as const,
      template: -1,
      body: () => body,
    };
    return this.memory.failures.make(problem, request, { head: answer, body: () => answer.body });
  }

  private end(outcome: Opened): void {
    if (this.over) return;
    this.cancel();
    this.done(outcome);
  }
}
