import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { violation } from '../../mcp/judge-message.js';
import type { Failure, Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { CreateLink, DuplexLink, DuplexOwner, LinkConfig } from '../duplex/duplex-link.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { AnswerView } from '../http/answer-reader.js';
import { Connection, type ConnectionOwner } from '../http/connection.js';
import { ConnectionSet, SIDE_DEPTH } from '../http/connection-set.js';
import { inWords } from '../judge-http.js';
import { RequestHead, type RequestKind, requestBytes } from '../request-head.js';
import { responseText } from '../sample.js';
import { endpointMemory, type ProfileShared } from '../shared.js';
import { type Pace, paceOf } from '../socket/pace.js';
import { type Address, resettableIf } from '../socket/socket.js';
import { EventSource, type EventSourceOwner } from './event-source.js';

/** MCP over HTTP+SSE (2024-11-05): one stream for all answers, one POST for each message. */
export const sseLink: CreateLink = (owner, shared, config) => new SseLink(owner, shared, config);

/** The request that opens a session. */
export const STREAM: RequestKind = { verb: 'GET', accept: 'text/event-stream' };

/**
 * A GET whose event stream carries every message of the server. Its first event is the address for our messages; each
 * of them is a POST of its own, answered with 202. Answers may overtake the 202 of their request.
 */
export class SseLink implements DuplexLink, EventSourceOwner, ConnectionOwner {
  readonly era = 'legacy';
  readonly hasSession = true;
  readonly answersElsewhere = true;
  readonly memory: EndpointMemory;
  nowMs = 0;
  /** The address for our messages, once the server has sent it. */
  posts: Endpoint | undefined;

  private state: 'new' | 'opening' | 'ready' | 'gone' = 'new';
  /** The owner was told that there is no room. */
  private starved = false;
  /** Called once the last POST is on its way. */
  private onPosted: (() => void) | undefined;
  /** The answer that refused a request. */
  private refusal = { retryAfter: '', answer: '' };
  /** Heads of POSTs by template. */
  private heads: (RequestHead | undefined)[] = [];
  private readonly address: Address;
  private readonly pace: Pace;
  private readonly source: EventSource;
  /** For POSTs; the stream has its own. */
  private readonly connections: ConnectionSet;
  /** For POSTs that are not load. */
  private readonly side: Connection;
  /**
   * POSTs that wait until the one before them is accepted. An answer on the stream overtakes its 202, which may say
   * that the server closes the connection: what was written behind it would be lost.
   */
  private readonly waiting: Buffer[] = [];

  /** @throws TypeError for an endpoint that cannot be spoken to */
  constructor(
    private readonly owner: DuplexOwner,
    private readonly shared: ProfileShared,
    private readonly config: LinkConfig,
  ) {
    const { endpoint, connections, pipeline, resettable } = config;
    this.memory = endpointMemory(config, shared);
    this.address = resettableIf(resettable, this.memory.address);
    this.pace = paceOf(config);
    const request = requestBytes(endpoint, 'legacy', STREAM, '');
    this.source = new EventSource(this, shared, this.address, request, this.pace);
    this.connections = new ConnectionSet(this, connections, pipeline);
    this.side = this.connections.side;
  }

  get startedAtMs(): number {
    return this.source.startedAtMs;
  }
  get isReady(): boolean {
    return this.state === 'ready';
  }
  get room(): number {
    const { room } = this.connections;
    if (room === 0) this.starved = true;
    return room;
  }
  get isBacklogged(): boolean {
    return this.waiting.length === SIDE_DEPTH;
  }

  connect(): void {
    this.state = 'opening';
    this.source.connect();
  }

  send(template: RequestTemplate, id: number, draw: Draw): void {
    const head = (this.heads[template.index] ??= new RequestHead(
      this.posts ?? this.config.endpoint,
      this.config.pinned,
      undefined,
      template,
    ));
    // The ticket is our id too, by which the channel knows the request.
    this.connections.next().send(head, template, draw, id, id);
  }

  abandon(id: number): void {
    this.connections.abandon(id);
  }

  sendMessage(message: string): void {
    const { posts, side } = this;
    // A server that takes no more messages gets no more.
    if (posts === undefined || this.state !== 'ready' || this.waiting.length === SIDE_DEPTH) return;
    this.post(requestBytes(posts, 'legacy', { verb: 'POST' }, message));
    side.flush();
  }

  /** @param pieces requests, correct or not; they are sent one after the other on one connection */
  sendRaw(pieces: readonly Buffer[], sent: () => void): void {
    this.onPosted = sent;
    for (const piece of pieces) this.write(piece, true);
    this.side.flush();
    if (this.side.isUp) this.onUp();
  }

  flush(): void {
    this.connections.flush();
  }

  /** The session ends with its stream; there is no message for it. */
  close(): void {
    this.destroy(false);
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

  destroy(reset: boolean): void {
    this.state = 'gone';
    this.source.destroy(reset);
    for (const connection of this.connections.withSide) connection.destroy(reset);
  }

  rejectText(): void {
    this.lose(violation('an event that is not UTF-8'));
  }

  newConnection(depth: number): Connection {
    return new Connection(this, this.shared, this.address, depth, this.pace);
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    if (this.state === 'ready' && type === 'message') {
      if (end > start) this.owner.onMessage(bytes, start, end);
    } else if (this.state === 'opening' && type === 'endpoint') this.openPosts(bytes.toString('utf8', start, end));
  }

  onSourceLost(problem: Problem, retryAfter: string): void {
    this.lose(problem, retryAfter);
  }

  onOutcome(id: number, _nowMs: number, failure: Failure | undefined): void {
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

  onSourceReadStart(nowMs: number): void {
    this.nowMs = nowMs;
    this.onReadStart(nowMs);
  }

  onSourceReadEnd(): void {
    this.onReadEnd();
  }

  onReadStart(nowMs: number): void {
    this.connections.onReadStart();
    this.owner.onReadStart?.(nowMs);
  }

  onReadEnd(): void {
    this.connections.onReadOver();
    this.owner.onReadEnd?.();
    this.connections.onReadEnd();
  }

  toFailure(problem: Problem, answer: AnswerView): Failure {
    const { head, answering } = answer;
    this.refusal = answering
      ? { retryAfter: head.retryAfter, answer: responseText(head, answer.bodyText()) }
      : { retryAfter: '', answer: '(no answer)' };
    return problem;
  }

  onUp(): void {
    const { onPosted } = this;
    if (onPosted === undefined) return;
    this.onPosted = undefined;
    // Bytes flushed when this returns have reached the kernel by the next turn of the loop.
    setImmediate(onPosted);
  }

  // POSTs connect when they are needed; requests lost with a connection fail one by one.
  onDown(): void {}
  onServerRequest(): void {}
  onSetCookie(): void {}

  private post(request: Buffer): void {
    if (this.side.ring.count > 0) this.waiting.push(request);
    else this.write(request, false);
  }

  private write(request: Buffer, once: boolean): void {
    this.shared.counters.messagesSent++;
    this.side.sendControl(request, {
      id: undefined,
      once,
      done: (outcome) => {
        if (this.state === 'gone') return;
        if (outcome.kind === 'failed') return this.lose(outcome.failure);
        const { status, retryAfter, body } = outcome.answer;
        if (status >= 200 && status < 300) return this.writeNext();
        this.lose(
          {
            category: `http_${status}`,
            detail: `HTTP ${status} to a message, where 202 was due${inWords(outcome.answer)} (${this.whereTo})`,
          },
          retryAfter,
          body,
        );
      },
    });
  }

  private writeNext(): void {
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.write(next, false);
    this.side.flush();
  }

  /**
   * The server names the address for our messages. 2024-11-05 does not restrict it, but a stream of one server must not
   * send its clients to another.
   */
  private openPosts(text: string): void {
    const { endpoint } = this.config;
    const url = URL.canParse(text, endpoint.url) ? new URL(text, endpoint.url) : undefined;
    if (url === undefined || url.origin !== new URL(endpoint.url).origin)
      return this.lose(violation('the endpoint event names no address of this server'));
    this.posts = { ...endpoint, url: url.href };
    this.state = 'ready';
    this.owner.onReady();
  }

  /** The address for our messages, with the place that it came from where that looks like a mistake. */
  private get whereTo(): string {
    const posts = new URL(this.posts?.url ?? this.config.endpoint.url);
    const prefix = new URL('.', this.config.endpoint.url).pathname;
    const outside = posts.pathname.startsWith(prefix)
      ? ''
      : `, outside of ${prefix} where the stream is: does a gateway add a prefix that the server does not know?`;
    return `sent to ${posts.pathname}, the address that the endpoint event names${outside}`;
  }

  private lose(problem: Problem, retryAfter = '', answer = ''): void {
    if (this.state === 'gone') return;
    this.destroy(false);
    this.owner.onLost({ problem, retryAfter, answer });
  }
}
