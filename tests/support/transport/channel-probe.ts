import { compileRequest, type RequestTemplate } from '../../../client-sim/mcp/compile-request.js';
import type { Category, Failure } from '../../../client-sim/measure/failure.js';
import type { Endpoint, PinnedProtocol } from '../../../client-sim/protocol/messages.js';
import type { Channel, ChannelConfig, WireCounters } from '../../../client-sim/transport/channel.js';
import { createProfileShared, createThreadShared, createWireCounters } from '../../../client-sim/transport/shared.js';
import { ConnectLimiter } from '../../../client-sim/transport/socket/connect-limiter.js';
import { transportMap } from '../../../client-sim/transports.js';
import type { OperationPlan } from '../../../scenarios/schema/plan.js';
import type { TransportName } from '../../../scenarios/schema/transports.js';
import { onTestEnd } from '../test-end.js';
import { until } from '../until.js';

export const LEGACY: PinnedProtocol = { era: 'legacy', version: '2025-11-25', sessions: true };
export const MODERN: PinnedProtocol = { era: 'modern', version: '2026-07-28', sessions: false };

/** The outcome of one ticket: 'correct', a category, or 'waiting'. */
export type Outcome = 'correct' | 'waiting' | Category;

/** A channel whose events are recorded. It is destroyed with the test. */
export class ChannelProbe {
  readonly channel: Channel;
  readonly counters: WireCounters = createWireCounters();
  /** By ticket. */
  readonly failures: (Failure | undefined)[] = [];
  readonly outcomes: Outcome[] = [];
  /** By ticket: the replica that answered, '' where none is known. */
  readonly replicas: string[] = [];
  /** Replicas of the session's own requests, in order; with a `?` where the replica does not know the session. */
  readonly controls: string[] = [];
  /** How many answers came between the start and the end of each read. */
  readonly reads: number[] = [];
  private isReading = false;
  /** In the order they came, tickets and other events. */
  readonly log: string[] = [];
  opened: number | undefined;
  openFailure: Failure | undefined;
  closed: 'closed' | 'lost' | undefined;
  /** Called after each answer, for what a client does within one. */
  afterAnswer: (ticket: number) => void = () => undefined;
  private sequence = 0;
  private readonly templates = new Map<OperationPlan, RequestTemplate>();
  private readonly pinned: PinnedProtocol;

  constructor(
    url: string,
    options: Partial<ChannelConfig> & {
      readonly transport?: TransportName;
      readonly headers?: Record<string, string>;
      readonly tls?: Endpoint['tls'];
      readonly server?: Endpoint['server'];
      readonly limiter?: ConnectLimiter;
      readonly cookies?: boolean;
    } = {},
  ) {
    const {
      headers = {},
      tls,
      server,
      cookies,
      transport = 'streamable-http',
      limiter = new ConnectLimiter(),
      ...config
    } = options;
    this.pinned = config.pinned ?? LEGACY;
    const wire = createThreadShared({ connectLimiter: limiter });
    const names = wire.replicas;
    const shared = createProfileShared(wire, this.counters);
    this.channel = transportMap[transport].createChannel(
      {
        endpoint: {
          url,
          headers,
          ...(tls === undefined ? {} : { tls }),
          ...(server === undefined ? {} : { server }),
          ...(cookies === undefined ? {} : { cookies }),
        },
        pinned: this.pinned,
        connections: 1,
        pipeline: 1,
        ...config,
      },
      {
        onReadStart: () => {
          this.isReading = true;
          this.reads.push(0);
        },
        onReadEnd: () => (this.isReading = false),
        onOpen: (connectMs) => (this.opened = connectMs),
        onOpenFailed: (failure) => (this.openFailure = failure),
        onControlAnswer: (replica, unknown) => this.controls.push(`${names.nameOf(replica)}${unknown ? '?' : ''}`),
        onAnswer: (ticket, _nowMs, failure, replica = 0) => {
          if (this.isReading) this.reads.push(1 + (this.reads.pop() ?? 0));
          this.replicas[ticket] = names.nameOf(replica);
          if (this.outcomes[ticket] !== 'waiting') throw new Error(`ticket ${ticket} came back twice`);
          this.outcomes[ticket] = failure?.category ?? 'correct';
          this.failures[ticket] = failure;
          this.log.push(`${ticket} ${failure?.category ?? 'correct'}`);
          this.afterAnswer(ticket);
        },
        onRoom: () => this.log.push('room'),
        onClosed: (reason) => {
          this.closed = reason;
          this.log.push(reason);
        },
      },
      shared,
    );
    onTestEnd(() => this.channel.destroy());
  }

  async open(): Promise<this> {
    this.channel.open();
    await until('the channel to open or fail', () => this.opened !== undefined || this.openFailure !== undefined);
    return this;
  }

  /** Sends without flushing. @returns the ticket */
  sendUnflushed(operation: OperationPlan = ECHO): number {
    const ticket = this.outcomes.length;
    this.outcomes.push('waiting');
    this.channel.send(this.compiled(operation), { seed: 1, slot: 0, sequence: this.sequence++ }, ticket);
    return ticket;
  }

  /**
   * Sends `count` requests at once when there is room, waits for all answers. @returns their outcomes, in the order of
   * sending
   */
  async call(count = 1, operation: OperationPlan = ECHO): Promise<readonly Outcome[]> {
    await until(`room for ${count} requests`, () => this.channel.room >= count);
    const tickets = Array.from({ length: count }, () => this.sendUnflushed(operation));
    await new Promise<void>((resolve) => {
      const before = this.afterAnswer;
      this.afterAnswer = (ticket) => {
        before(ticket);
        if (tickets.some((one) => this.outcomes[one] === 'waiting')) return;
        this.afterAnswer = before;
        resolve();
      };
      this.channel.flush();
    });
    return tickets.map((ticket) => this.outcomes[ticket] as Outcome);
  }

  async close(how: 'delete' | 'abandon' | 'reset' = 'delete'): Promise<void> {
    this.channel.close(how);
    await until('the channel to close', () => this.closed !== undefined);
  }

  /** The failure of the last ticket sent. */
  get lastFailure(): Failure | undefined {
    return this.failures[this.outcomes.length - 1];
  }

  private compiled(operation: OperationPlan): RequestTemplate {
    let template = this.templates.get(operation);
    if (template === undefined)
      this.templates.set(operation, (template = compileRequest(operation, this.templates.size, this.pinned)));
    return template;
  }
}

/** `tools/call` of `echo` with a drawn message. */
export const ECHO: OperationPlan = {
  name: 'echo',
  method: 'tools/call',
  params: {
    kind: 'object',
    entries: [
      ['name', { kind: 'constant', json: '"echo"' }],
      [
        'arguments',
        { kind: 'object', entries: [['message', { kind: 'string', parts: [{ name: 'text', length: 12 }] }]] },
      ],
    ],
  },
  target: 'echo',
  weight: 1,
};

/** A body whose length differs each time. */
export const COUNTED: OperationPlan = {
  ...ECHO,
  name: 'counted',
  params: {
    kind: 'object',
    entries: [
      ['name', { kind: 'constant', json: '"echo"' }],
      [
        'arguments',
        { kind: 'object', entries: [['n', { kind: 'number', draw: { name: 'int', min: 1, max: 10 ** 15 } }]] },
      ],
    ],
  },
};

/** A target that a header cannot hold unencoded. */
export const WITH_FOREIGN_NAME: OperationPlan = {
  name: 'read',
  method: 'resources/read',
  params: { kind: 'constant', json: '{"uri":"bench://größe"}' },
  target: 'bench://größe',
  weight: 1,
};
