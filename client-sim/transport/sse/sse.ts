import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { type Problem, violation } from '../../mcp/judge-message.js';
import type { Failure } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { CreateLink, DuplexLink, DuplexOwner, LinkConfig } from '../duplex/duplex-link.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { AnswerReader } from '../http/answer-reader.js';
import { Connection, type ConnectionOwner } from '../http/connection.js';
import { RequestHead, type RequestKind, requestBytes } from '../request-head.js';
import { responseText } from '../sample.js';
import { endpointMemory, type WireShared } from '../shared.js';
import { paceOf } from '../socket/pace.js';
import { EventSource, type EventSourceOwner } from './event-source.js';

/** MCP over HTTP+SSE (2024-11-05): one stream for all answers, one POST for each message. */
export const sseLink: CreateLink = (owner, shared, config) => new SseLink(owner, shared, config);

/** What opens a session. */
export const STREAM: RequestKind = { verb: 'GET', accept: 'text/event-stream' };
/** How many messages that are not load may be on their way at once. */
const SIDE_DEPTH = 64;

/**
 * HTTP+SSE (2024-11-05): a GET whose event stream carries everything the server says, the first event being the address
 * for our messages; each of those is a POST of its own, answered with 202. Answers may overtake the 202 of their
 * request.
 */
export class SseLink implements DuplexLink, EventSourceOwner, ConnectionOwner {
  readonly era = 'legacy';
  readonly hasSession = true;
  readonly answersElsewhere = true;
  readonly memory: EndpointMemory;
  nowMs = 0;

  private state: 'new' | 'opening' | 'ready' | 'gone' = 'new';
  private reading = false;
  private starved = false;
  /** Waits until what was posted last is on its way. */
  private posted: (() => void) | undefined;
  private cursor = 0;
  /** Of the answer that refused a request. */
  private refusal = { retryAfter: '', answer: '' };
  /** Where the server wants our messages, and their heads by template. */
  posts: Endpoint | undefined;
  private heads: (RequestHead | undefined)[] = [];
  private readonly source: EventSource;
  private readonly connections: Connection[] = [];
  private readonly side: Connection;

  /** @throws TypeError for an endpoint that cannot be spoken to */
  constructor(
    private readonly owner: DuplexOwner,
    private readonly shared: WireShared,
    private readonly options: LinkConfig,
  ) {
    const { endpoint, connections, pipeline } = options;
    this.memory = endpointMemory(options, shared);
    const address = options.resettable === true ? { ...this.memory.address, resettable: true } : this.memory.address;
    const pace = paceOf(options);
    this.source = new EventSource(this, shared, address, requestBytes(endpoint, 'legacy', STREAM, ''), pace);
    for (let index = 0; index < connections; index++)
      this.connections.push(new Connection(this, shared, address, pipeline, pace));
    this.side = new Connection(this, shared, address, SIDE_DEPTH, pace);
  }

  get startedAtMs(): number {
    return this.source.startedAtMs;
  }
  get isReady(): boolean {
    return this.state === 'ready';
  }
  get room(): number {
    const { connections } = this;
    let room = 0;
    for (let index = 0; index < connections.length; index++) room += (connections[index] as Connection).room;
    if (room === 0) this.starved = true;
    return room;
  }
  get isBacklogged(): boolean {
    return this.side.room === 0;
  }

  connect(): void {
    this.state = 'opening';
    this.source.connect();
  }

  put(template: RequestTemplate, id: number, draw: Draw): void {
    const head = (this.heads[template.index] ??= new RequestHead(
      this.posts ?? this.options.endpoint,
      this.options.pinned,
      undefined,
      template,
    ));
    // The ring of a connection gives back what it was given: our id, by which the channel knows the request.
    this.nextWithRoom().send(head, template, draw, id, id);
  }

  abandon(id: number): void {
    for (const connection of this.connections) if (connection.abandon(id)) return;
  }

  say(message: string): void {
    const { posts, side } = this;
    // A server that takes no more messages gets no more of them.
    if (posts === undefined || this.state !== 'ready' || side.room === 0) return;
    this.post(requestBytes(posts, 'legacy', { verb: 'POST' }, message));
    side.flush();
  }

  /** @param pieces whole requests, or what should be; they go one after the other over one connection */
  raw(pieces: readonly Buffer[], sent: () => void): void {
    this.posted = sent;
    for (const piece of pieces) this.post(piece);
    this.side.flush();
    if (this.side.isUp) this.onUp();
  }

  private post(request: Buffer): void {
    this.shared.counters.messagesSent++;
    this.side.sendControl(request, {
      id: undefined,
      done: (outcome) => {
        if (this.state === 'gone') return;
        if (outcome.kind === 'failed') return this.lose(outcome.failure);
        const { status } = outcome.answer;
        if (status < 200 || status >= 300)
          this.lose(
            { category: `http_${status}`, detail: `HTTP ${status} to a message, where 202 was due` },
            outcome.answer.retryAfter,
            outcome.answer.body,
          );
      },
    });
  }

  flush(): void {
    if (this.reading) return;
    for (let index = 0; index < this.connections.length; index++) (this.connections[index] as Connection).flush();
  }

  /** There is no goodbye: the session ends with its stream. */
  leave(): void {
    this.cut(false);
    queueMicrotask(() =>
      this.owner.onLost({
        problem: { category: 'stream_lost', detail: 'the event stream was closed' },
        retryAfter: '',
        answer: '',
      }),
    );
  }

  fail(problem: Problem): void {
    this.lose(problem);
  }

  cut(reset: boolean): void {
    this.state = 'gone';
    this.source.cut(reset);
    for (const connection of this.connections) connection.cut(reset);
    this.side.cut(reset);
  }

  rejectText(): void {
    this.lose(violation('an event that is not UTF-8'));
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    if (this.state === 'ready' && type === 'message') {
      if (end > start) this.owner.onMessage(bytes, start, end);
    } else if (this.state === 'opening' && type === 'endpoint') this.openPosts(bytes.toString('utf8', start, end));
  }

  onSourceLost(problem: Problem, retryAfter: string): void {
    this.lose(problem, retryAfter);
  }

  onTicket(id: number, _nowMs: number, failure: Failure | undefined): void {
    if (failure === undefined) return this.onRoom();
    if (failure.category === 'session_lost') return this.lose(failure);
    this.owner.onRefusedRequest(id, failure, this.refusal);
    this.onRoom();
  }

  onRoom(): void {
    if (!this.starved || this.state !== 'ready') return;
    this.starved = false;
    this.owner.onDrained();
  }

  onSourceRead(nowMs: number): void {
    this.nowMs = nowMs;
    this.onReadStart(nowMs);
  }

  onSourceReadOver(): void {
    this.onReadOver();
  }

  onReadStart(nowMs: number): void {
    this.reading = true;
    this.owner.onTurnStart?.(nowMs);
  }

  onReadOver(): void {
    this.owner.onTurnOver?.();
    this.reading = false;
    this.flush();
  }

  describe(problem: Problem, reader: AnswerReader): Failure {
    const { head } = reader.parser;
    this.refusal = reader.answering
      ? { retryAfter: head.retryAfter, answer: responseText(head, reader.bodyText()) }
      : { retryAfter: '', answer: '(no answer)' };
    return problem;
  }

  // Posts connect when they are needed; what was lost with a connection comes as the failure of its requests.
  onUp(): void {
    const { posted } = this;
    if (posted === undefined) return;
    this.posted = undefined;
    // What is flushed when this returns has reached the kernel by the next turn of the loop.
    setImmediate(posted);
  }
  onDown(): void {}
  onServerRequest(): void {}
  onSetCookie(): void {}

  /**
   * The server says where messages go; 2024-11-05 leaves it free, but a stream of one server must not send its clients
   * to another.
   */
  private openPosts(text: string): void {
    const { endpoint } = this.options;
    const url = URL.canParse(text, endpoint.url) ? new URL(text, endpoint.url) : undefined;
    if (url === undefined || url.origin !== new URL(endpoint.url).origin)
      return this.lose(violation('the endpoint event names no address of this server'));
    this.posts = { ...endpoint, url: url.href };
    this.state = 'ready';
    this.owner.onReady();
  }

  private nextWithRoom(): Connection {
    const { connections } = this;
    for (let tries = connections.length; tries > 0; tries--) {
      const connection = connections[this.cursor] as Connection;
      this.cursor = this.cursor + 1 === connections.length ? 0 : this.cursor + 1;
      if (connection.room > 0) return connection;
    }
    throw new RangeError('put() without room: the caller must look at room first');
  }

  private lose(problem: Problem, retryAfter = '', answer = ''): void {
    if (this.state === 'gone') return;
    this.cut(false);
    this.owner.onLost({ problem, retryAfter, answer });
  }
}
