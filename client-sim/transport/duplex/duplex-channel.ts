import { shownUrl } from '../../../scenarios/schema/redact.js';
import { type RequestTemplate, renderRequest } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { IdBlocks } from '../../mcp/request-ids.js';
import { CLIENT_INFO } from '../../mcp/revisions.js';
import type { Failure, Problem } from '../../measure/failure.js';
import {
  type Channel,
  type ChannelConfig,
  type ChannelEvents,
  CLOSE_TIMEOUT_MS,
  OPEN_TIMEOUT_MS,
  type StreamListener,
} from '../channel.js';
import { asControlAnswer, type Control, NOTIFICATION_SENT, readControl } from '../control.js';
import type { DuplexMemory } from '../endpoint-memory.js';
import { initialize } from '../handshake.js';
import { answerServerRequest, cancelledMessage } from '../session-messages.js';
import { CLOSED_BEFORE_OPEN, CLOSED_IN_FLIGHT } from '../session-problems.js';
import { duplexMemory, type ProfileShared } from '../shared.js';
import { LinkStream } from '../stream/link-stream.js';
import {
  afterword,
  type CreateLink,
  type DuplexLink,
  type DuplexOwner,
  type LinkLoss,
  onStderr,
} from './duplex-link.js';
import { type MessageOwner, MessageReader } from './message-reader.js';
import { TicketWindow } from './ticket-window.js';

/**
 * Requests abandoned in a row, without a byte from the server in between, after which a connection counts as dead;
 * never fewer than the requests in flight at once.
 */
const MAX_SILENT = 3;

type State = 'new' | 'opening' | 'open' | 'closing' | 'closed';

/** MCP over one link that carries messages both ways: the session ends with its link. */
export class DuplexChannel implements Channel, DuplexOwner, MessageOwner {
  private state: State = 'new';
  /** Requests abandoned since the last byte from the server. */
  private silent = 0;
  /** The handshake's request, while it waits for its answer. */
  private awaited: Control | undefined;
  /** The messages that the server sends on its own, where there is a listener. */
  private stream: LinkStream | undefined;
  /** To render a failed request again. */
  seed = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly depth: number;
  private readonly memory: DuplexMemory;
  private readonly window: TicketWindow;
  private readonly reader: MessageReader;
  private readonly link: DuplexLink;

  /** @throws TypeError for an endpoint that cannot be spoken to */
  constructor(
    private readonly config: ChannelConfig,
    private readonly events: ChannelEvents,
    private readonly shared: ProfileShared,
    createLink: CreateLink,
  ) {
    this.depth = config.connections * config.pipeline;
    this.memory = duplexMemory(config.endpoint, shared);
    this.window = new TicketWindow(this.depth, new IdBlocks(shared.ids));
    this.reader = new MessageReader(this, this.window, this.memory, shared.counters);
    this.link = createLink(this, shared, config);
  }

  get room(): number {
    return this.state !== 'open' ? 0 : Math.min(this.depth - this.window.waiting, this.link.room);
  }

  get openTimeoutMs(): number | undefined {
    return this.config.endpoint.server === undefined ? undefined : this.config.openTimeoutMs;
  }

  get serverWords(): string {
    return afterword(this.link.serverWords);
  }

  open(): void {
    this.state = 'opening';
    const timeoutMs = this.config.openTimeoutMs ?? OPEN_TIMEOUT_MS;
    this.timer = setTimeout(() => this.openTimedOut(timeoutMs), timeoutMs);
    this.link.connect();
  }

  send(template: RequestTemplate, draw: Draw, ticket: number): void {
    this.memory.templates[template.index] ??= template;
    this.seed = draw.seed;
    const id = this.window.claim(ticket, template.index, draw.slot, draw.sequence);
    this.link.send(template, id, draw);
  }

  flush(): void {
    this.link.flush();
  }

  abandon(ticket: number): void {
    const row = this.window.rowOf(ticket);
    if (row < 0 || this.state !== 'open') return;
    const id = this.window.id(row);
    this.window.release(row);
    this.link.abandon(id);
    if (++this.silent >= Math.max(MAX_SILENT, this.depth)) {
      const problem: Problem = {
        category: 'stream_lost',
        detail: `nothing came from the server while ${this.silent} requests timed out`,
      };
      return queueMicrotask(() => this.link.fail(problem));
    }
    // Tells the server to stop working on it (MCP, Cancellation). An answer that still comes counts as late.
    this.link.sendMessage(cancelledMessage(id));
    this.shared.counters.streams.cancelled++;
    queueMicrotask(() => this.onDrained());
  }

  close(how: 'delete' | 'abandon' | 'reset'): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    if (this.state !== 'open') return this.openFailed(CLOSED_BEFORE_OPEN);
    this.state = 'closing';
    this.stream?.end(false);
    this.failAll(CLOSED_IN_FLIGHT, CLOSED_IN_FLIGHT);
    if (how !== 'delete') return this.finish(how === 'reset');
    this.timer = setTimeout(() => this.finish(false), CLOSE_TIMEOUT_MS);
    this.link.close();
  }

  destroy(): void {
    this.state = 'closed';
    this.stopTimer();
    this.stream?.end(false);
    this.link.destroy(false);
  }

  onReady(): void {
    if (this.state !== 'opening') return;
    const { pinned, clientInfo } = this.config;
    // The stateless era has no handshake: every request names its client.
    if (pinned.era === 'modern') return this.opened();
    initialize(
      (_kind, body, control) => this.sendControl(body, control),
      pinned.version,
      { clientInfo: clientInfo ?? CLIENT_INFO, id: this.shared.ids.take() },
      (outcome) => {
        if (this.state !== 'opening') return;
        if (outcome.kind === 'initialized') return this.opened();
        if (outcome.kind === 'failed') return this.openFailed(outcome.failure);
        const { body, answer } = outcome;
        const text = this.withServerWords(() => answer.body);
        this.openFailed(this.memory.failures.make(outcome.problem, -1, () => body, { text }));
      },
    );
  }

  onReadStart(nowMs: number): void {
    this.events.onReadStart?.(nowMs);
  }

  onReadEnd(): void {
    this.events.onReadEnd?.();
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    this.silent = 0;
    const { awaited } = this;
    if (awaited === undefined) return this.reader.read(bytes, start, end);
    this.shared.counters.messagesReceived++;
    const read = readControl(bytes, start, end, awaited.id);
    switch (read.kind) {
      case 'answer':
        this.awaited = undefined;
        awaited.done({ kind: 'answered', answer: asControlAnswer(read.text) });
        return;
      case 'request':
        return this.onServerRequest(read.request);
      case 'other':
        return;
    }
  }

  onLost({ problem, retryAfter, answer }: LinkLoss): void {
    const { state } = this;
    if (state === 'opening') {
      const { endpoint } = this.config;
      return this.openFailed(
        this.memory.failures.make(problem, -1, () => `(to open the session at ${shownUrl(endpoint.url)})`, {
          text: () => answer || '(no answer)',
          retryAfter,
        }),
      );
    }
    if (state === 'closing') return this.finish(false);
    if (state !== 'open') return;
    this.state = 'closed';
    this.stream?.end(true);
    const rest: Problem =
      problem.category === 'protocol_violation' || problem.category === 'answer_limit'
        ? { category: 'stream_lost', detail: 'the connection was closed after a message that could not be read' }
        : problem;
    this.failAll(problem, rest);
    this.events.onClosed('lost');
  }

  onDrained(): void {
    if (this.state === 'open') this.events.onRoom();
  }

  onRefusedRequest(
    id: number,
    problem: Problem,
    { retryAfter, answer }: Pick<LinkLoss, 'retryAfter' | 'answer'>,
  ): void {
    const row = this.window.find(id);
    if (row >= 0)
      this.deliver(
        row,
        this.shared.now(),
        this.makeFailure(row, problem, () => answer, retryAfter),
      );
  }

  onAnswer(row: number, problem: Problem | undefined, bytes: Buffer, start: number, end: number): void {
    this.deliver(
      row,
      this.link.nowMs,
      problem === undefined ? undefined : this.failureOf(row, problem, bytes, start, end),
    );
  }

  /** Not part of `onAnswer`, where its closure would cost every answer an object. */
  private failureOf(row: number, problem: Problem, bytes: Buffer, start: number, end: number): Failure {
    return this.makeFailure(row, problem, () => bytes.toString('utf8', start, end));
  }

  onServerRequest(request: Record<string, unknown>): void {
    // A server that asks faster than it takes answers gets no more answers.
    if (this.link.isBacklogged) return;
    this.link.sendMessage(answerServerRequest(request));
    this.shared.counters.streams.serverRequests++;
  }

  onNotification(method: string, message: Record<string, unknown>, bytes: Buffer, start: number, end: number): void {
    const { streams } = this.shared.counters;
    if (method === 'notifications/progress') streams.progress++;
    else if (method === 'notifications/resources/updated') streams.updates++;
    this.stream?.onNotification(method, message, bytes, start, end, this.link.nowMs);
  }

  onOwnAnswer(answer: Record<string, unknown>): boolean {
    return this.stream?.onAnswer(answer) === true;
  }

  onStray(problem: Problem, bytes: Buffer, start: number, end: number): void {
    // It is unknown which request this answers; for a server that answers in order it is the oldest.
    const row = this.window.oldest();
    if (row >= 0) this.onAnswer(row, problem, bytes, start, end);
    else this.link.fail(problem);
  }

  onNotUtf8(): void {
    this.link.rejectText();
  }

  private opened(): void {
    this.state = 'open';
    this.stopTimer();
    this.events.onOpen(this.shared.now() - this.link.startedAtMs);
    // Unless the listener of that event closed it.
    if (this.isOpen && this.config.listener !== undefined) this.listen(this.config.listener);
  }

  private get isOpen(): boolean {
    return this.state === 'open';
  }

  private listen(listener: StreamListener): void {
    const { pinned, clientInfo, openTimeoutMs: timeoutMs = OPEN_TIMEOUT_MS } = this.config;
    this.stream = new LinkStream((message) => this.link.sendMessage(message), listener, this.shared, {
      pinned,
      clientInfo,
      timeoutMs,
    });
    listener.onReady(this.stream);
  }

  private openFailed(failure: Failure): void {
    this.destroy();
    this.events.onOpenFailed(failure);
  }

  private openTimedOut(timeoutMs: number): void {
    const detail = this.link.isReady ? 'no answer to the handshake' : 'no connection';
    this.openFailed({
      category: this.link.isReady ? 'timeout' : 'connect',
      detail: `${detail} within ${timeoutMs} ms${this.serverWords}`,
    });
  }

  private sendControl(body: string, control: Control): void {
    if (control.id !== undefined) this.awaited = control;
    this.link.sendMessage(body);
    // A notification has no answer on this transport: it is done once it is sent.
    if (control.id === undefined) control.done({ kind: 'answered', answer: NOTIFICATION_SENT });
  }

  private makeFailure(row: number, problem: Problem, answer: (() => string) | undefined, retryAfter?: string): Failure {
    const { window, seed } = this;
    const template = this.memory.templates[window.template(row)];
    if (template === undefined) return problem;
    const [id, slot, sequence] = [window.id(row), window.slot(row), window.sequence(row)];
    return this.memory.failures.make(
      problem,
      template.index,
      () => renderRequest(template, id, { seed, slot, sequence }),
      answer === undefined && this.link.serverWords === undefined
        ? undefined
        : { text: this.withServerWords(answer ?? (() => '(no answer)')), retryAfter },
    );
  }

  /** The text of an answer, and what a started server wrote to its standard error. */
  private withServerWords(answer: () => string): () => string {
    const { serverWords = '' } = this.link;
    return serverWords === '' ? answer : () => `${answer()}\n${onStderr(serverWords)}`;
  }

  private deliver(row: number, nowMs: number, failure: Failure | undefined): void {
    const ticket = this.window.ticket(row);
    this.window.release(row);
    this.events.onAnswer(ticket, nowMs, failure);
  }

  /** Answers everything in flight, oldest first. */
  private failAll(first: Problem, rest: Problem): void {
    const nowMs = this.shared.now();
    let problem = first;
    for (let row = this.window.oldest(); row >= 0; row = this.window.oldest()) {
      this.deliver(row, nowMs, this.makeFailure(row, problem, undefined));
      problem = rest;
    }
  }

  private finish(reset: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.stopTimer();
    this.link.destroy(reset);
    queueMicrotask(() => this.events.onClosed('closed'));
  }

  /** Forgets the timer too: a cleared timer is still an object, and there are thousands of channels. */
  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
