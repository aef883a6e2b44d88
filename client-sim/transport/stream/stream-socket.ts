import type net from 'node:net';
import { overLimit, unreadable, violation } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { ResponseHead } from '../http/response-head.js';
import { ResponseParser } from '../http/response-parser.js';
import { type SseHandler, SseParser, STREAM_LIMITS } from '../http/sse-parser.js';
import { judgeHttp } from '../judge-http.js';
import type { SessionHeaders } from '../request-head.js';
import type { ProfileShared } from '../shared.js';
import { BodyCollector } from '../socket/body-collector.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { SlowReader } from '../socket/pace.js';
import { type Address, connectProblem, lost, openSocket, resetSocket, type SocketOwner } from '../socket/socket.js';

/** The session that a stream belongs to. */
export interface StreamHost {
  readonly hasSession: boolean;
  readonly endpoint: Endpoint;
  readonly address: Address;
  sessionHeaders(): SessionHeaders;
  onServerRequest(request: Record<string, unknown>): void;
}

export type StreamEnd =
  /** The connection could not be made. */
  | { readonly kind: 'unreachable'; readonly problem: Problem }
  /** The answer was not a stream. */
  | { readonly kind: 'refused'; readonly status: number; readonly problem: Problem }
  /** The server completed it. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'lost'; readonly problem: Problem };

export interface StreamSocketOwner {
  readonly era: 'legacy' | 'modern';
  readonly hasSession: boolean;
  /** The answer is a stream of events. */
  onStream(): void;
  onEvent(type: string, bytes: Buffer, start: number, end: number, nowMs: number): void;
  /** Called once, unless the owner destroyed it. */
  onEnd(end: StreamEnd): void;
}

/** The point after which a stream is requested again. */
export class StreamPosition {
  /** @param retryMs the wait that the server asked for; -1: none */
  constructor(
    public lastEventId = '',
    public retryMs = -1,
  ) {}

  /** Moves on to the last whole event on this socket. */
  follow({ sse }: StreamSocket): void {
    if (sse.lastEventId !== '') this.lastEventId = sse.lastEventId;
    if (sse.retryMs >= 0) this.retryMs = sse.retryMs;
  }
}

/** For an answer that is no stream. */
const MAX_BODY_BYTES = 1_048_576;

/** One request whose answer is a stream of events, on a socket of its own. */
export class StreamSocket implements Connecting, SocketOwner, SseHandler {
  readonly sse = new SseParser();
  private readonly parser = new ResponseParser(STREAM_LIMITS);
  private readonly slow: SlowReader | undefined;
  private body: BodyCollector | undefined;
  private socket: net.Socket | undefined;
  private state: 'queued' | 'connecting' | 'up' | 'over' = 'queued';
  private streaming = false;
  private nowMs = 0;

  /** @param readBytesPerSecond undefined: as fast as possible */
  constructor(
    private readonly owner: StreamSocketOwner,
    private readonly shared: ProfileShared,
    private readonly address: Address,
    private readonly request: Buffer,
    readBytesPerSecond: number | undefined,
  ) {
    this.slow = readBytesPerSecond === undefined ? undefined : new SlowReader(readBytesPerSecond);
    shared.connectLimiter.acquire(this);
  }

  /** The head of the answer, once `onStream` was called. */
  get head(): ResponseHead {
    return this.parser.head;
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.socket = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this, this.shared.own);
    return true;
  }

  /** No event follows. @param reset with RST instead of FIN, on plain TCP */
  destroy(reset = false): void {
    const { state, socket } = this;
    if (state === 'over') return;
    this.state = 'over';
    this.slow?.stop();
    if (state === 'connecting') this.shared.connectLimiter.release();
    if (state === 'up') this.shared.counters.connectionsActive--;
    if (socket === undefined) return;
    if (reset && state === 'up') resetSocket(socket);
    else socket.destroy();
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.socket || this.state !== 'connecting') return;
    const { counters, connectLimiter } = this.shared;
    this.state = 'up';
    counters.connectionsOpened++;
    counters.connectionsActive++;
    counters.bytesSent += this.request.length;
    connectLimiter.release();
    socket.write(this.request);
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.socket || this.state !== 'up') return false;
    this.shared.counters.bytesReceived += length;
    this.nowMs = this.shared.now();
    this.read(this.slow?.buffer ?? this.shared.readBuffer, length);
    if (this.slow === undefined || this.state !== 'up') return true;
    this.slow.rest(socket, length);
    return false;
  }

  onSocketEnd(socket: net.Socket): void {
    if (socket !== this.socket || this.state !== 'up') return;
    const event = this.parser.endOfInput();
    if (event === 'end') this.finish();
    else
      this.end({
        kind: 'lost',
        problem: lost(`the server closed the connection ${this.streaming ? 'within the stream' : 'before the stream'}`),
      });
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.socket || this.state === 'over') return;
    const problem = connectProblem(error);
    if (this.state === 'up') this.end({ kind: 'lost', problem: lost(problem.detail) });
    else this.end({ kind: 'unreachable', problem });
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    if (this.state === 'up') this.owner.onEvent(type, bytes, start, end, this.nowMs);
  }

  private read(bytes: Buffer, end: number): void {
    const { parser, sse } = this;
    parser.at = 0;
    while (this.state === 'up') {
      switch (parser.next(bytes, end)) {
        case 'head':
          this.onHead();
          break;
        case 'body':
          if (this.streaming) sse.feed(bytes, parser.dataStart, parser.dataEnd, this);
          else this.gather(bytes, parser.dataStart, parser.dataEnd);
          break;
        case 'end':
          this.finish();
          return;
        case 'more':
          sse.settle();
          this.body?.settle();
          if (sse.held > this.shared.answerLimits.bodyBytes)
            this.end({
              kind: 'lost',
              problem: { category: 'answer_limit', detail: overLimit('an event', this.shared.answerLimits.bodyBytes) },
            });
          return;
        case 'broken':
          this.end({ kind: 'lost', problem: unreadable(parser) });
          return;
      }
    }
  }

  private onHead(): void {
    const { status, mediaType } = this.parser.head;
    this.streaming = mediaType === 'event-stream' && status >= 200 && status < 300;
    if (this.streaming) this.owner.onStream();
    else this.body = new BodyCollector();
  }

  private gather(bytes: Buffer, start: number, end: number): void {
    if (this.body === undefined) return;
    if (this.body.length + end - start > MAX_BODY_BYTES) this.end(this.refusal());
    else this.body.add(bytes, start, end);
  }

  private finish(): void {
    this.end(this.streaming ? { kind: 'ended' } : this.refusal());
  }

  private refusal(): StreamEnd {
    const { parser, owner, body } = this;
    const { status } = parser.head;
    const problem =
      body === undefined
        ? undefined
        : judgeHttp(parser.head, body.bytes, body.start, body.end, {
            id: -1,
            era: owner.era,
            hasSession: owner.hasSession,
            turn: 0,
          });
    return {
      kind: 'refused',
      status,
      problem: problem ?? violation(`HTTP ${status} with a whole answer where a stream of events was asked for`),
    };
  }

  private end(end: StreamEnd): void {
    if (this.state === 'over') return;
    this.destroy();
    this.owner.onEnd(end);
  }
}
