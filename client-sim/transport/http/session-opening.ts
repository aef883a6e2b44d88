import type { RequestIds } from '../../mcp/request-ids.js';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import type { Failure, Problem } from '../../measure/failure.js';
import { type ChannelConfig, OPEN_TIMEOUT_MS } from '../channel.js';
import type { ControlAnswer } from '../control.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import { type InitializeResult, initialize } from '../handshake.js';
import type { Connection } from './connection.js';
import type { ConnectionSet } from './connection-set.js';
import type { ControlSender } from './control-sender.js';

export type OpenOutcome =
  /** @property initialized undefined in the stateless era, which has no handshake */
  | { readonly kind: 'open'; readonly initialized: InitializeResult | undefined; readonly startedAtMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Opens a session: all its connections, and the handshake on the first of them. */
export class SessionOpening {
  private initialized: InitializeResult | undefined;
  /** `initialize` is sent. Its connection may be lost and come back before it is confirmed. */
  private asked = false;
  private over = false;
  private readonly timer: NodeJS.Timeout;
  private readonly timeoutMs: number;

  /** @param done called once, unless the opening is cancelled */
  constructor(
    private readonly config: ChannelConfig,
    private readonly connections: ConnectionSet,
    private readonly controlSender: ControlSender,
    private readonly memory: EndpointMemory,
    private readonly ids: RequestIds,
    private readonly done: (outcome: OpenOutcome) => void,
  ) {
    this.timeoutMs = config.openTimeoutMs ?? OPEN_TIMEOUT_MS;
    this.timer = setTimeout(() => this.timedOut(), this.timeoutMs);
    connections.connect();
  }

  cancel(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  onUp(connection: Connection): void {
    if (connection === this.connections.all[0] && !this.isInitialized && !this.asked) this.initialize(connection);
    else this.openWhenReady();
  }

  /** @param failure undefined: the server closed a connection that was not in use yet */
  onDown(connection: Connection, failure: Failure | undefined): void {
    if (this.connections.isSide(connection)) return;
    if (failure === undefined) connection.connect();
    else this.end({ kind: 'failed', failure });
  }

  private get isInitialized(): boolean {
    return this.config.pinned.era === 'modern' || this.initialized !== undefined;
  }

  private initialize(connection: Connection): void {
    const { pinned, clientInfo } = this.config;
    this.asked = true;
    initialize(
      (kind, body, control) => this.controlSender.sendOn(connection, kind, body, control),
      pinned.version,
      { clientInfo: clientInfo ?? CLIENT_INFO, id: this.ids.take() },
      (outcome) => {
        if (this.over) return;
        if (outcome.kind === 'failed') return this.end({ kind: 'failed', failure: outcome.failure });
        if (outcome.kind === 'refused')
          return this.end({ kind: 'failed', failure: this.refusal(outcome.problem, outcome.body, outcome.answer) });
        this.initialized = outcome.result;
        this.openWhenReady();
      },
    );
  }

  private openWhenReady(): void {
    const { all, up } = this.connections;
    if (!this.isInitialized || up < all.length) return;
    this.end({
      kind: 'open',
      initialized: this.initialized,
      startedAtMs: Math.min(...all.map((connection) => connection.startedAtMs)),
    });
  }

  private timedOut(): void {
    const { connections, timeoutMs } = this;
    const { all, up } = connections;
    const failure: Failure =
      up < all.length
        ? { category: 'connect', detail: `${up} of ${all.length} connections were up after ${timeoutMs} ms` }
        : { category: 'timeout', detail: `no answer to the handshake within ${timeoutMs} ms` };
    this.end({ kind: 'failed', failure });
  }

  private refusal(problem: Problem, body: string, answer: ControlAnswer): Failure {
    const request = {
      kind: () => ({ verb: 'POST', version: this.config.pinned.version }) as const,
      template: -1,
      body: () => body,
    };
    return this.memory.failure(problem, request, { head: answer, body: () => answer.body });
  }

  private end(outcome: OpenOutcome): void {
    if (this.over) return;
    this.cancel();
    this.done(outcome);
  }
}
