import type net from 'node:net';
import { describe } from '../../mcp/json-value.js';
import { overLimit, unreadable, violation } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import type { ResponseHead } from '../http/response-head.js';
import { ResponseParser } from '../http/response-parser.js';
import { type SseHandler, SseParser, STREAM_LIMITS } from '../http/sse-parser.js';
import { inWords } from '../judge-http.js';
import type { ProfileShared } from '../shared.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { newOutbox, type Outbox } from '../socket/outbox.js';
import { type Pace, SlowReader } from '../socket/pace.js';
import {
  type Address,
  connectProblem,
  describeError,
  lost,
  openSocket,
  resetSocket,
  type SocketOwner,
} from '../socket/socket.js';

export interface EventSourceOwner {
  /** One event; its bytes are valid only during the call. */
  onEvent(type: string, bytes: Buffer, start: number, end: number): void;
  /** All events of one read are delivered between these two. */
  onSourceReadStart(nowMs: number): void;
  onSourceReadEnd(): void;
  /** Called once, unless the owner destroyed it: it could not be opened, or has ended. */
  onSourceLost(problem: Problem, retryAfter: string): void;
}

/** Enough for the words of a refusal. */
const MAX_REFUSAL_BYTES = 8192;

type State = 'new' | 'queued' | 'connecting' | 'waiting' | 'open' | 'gone';

/** The answer to one GET that never ends: a stream of events on a connection of its own. */
export class EventSource implements Connecting, SocketOwner, SseHandler {
  startedAtMs = 0;

  private state: State = 'new';
  private socket: net.Socket | undefined;
  private readonly parser = new ResponseParser(STREAM_LIMITS);
  private readonly sse = new SseParser();
  private readonly slow: SlowReader | undefined;
  private readonly outbox: Outbox;
  /** The body of an answer that refuses the stream, as far as it has come. */
  private refused: Buffer | undefined;

  /** @param request the bytes of the GET */
  constructor(
    private readonly owner: EventSourceOwner,
    private readonly shared: ProfileShared,
    private readonly address: Address,
    private readonly request: Buffer,
    pace: Pace,
  ) {
    this.slow = SlowReader.of(pace);
    this.outbox = newOutbox(shared, pace);
  }

  connect(): void {
    this.state = 'queued';
    this.shared.connectLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.startedAtMs = this.shared.now();
    this.socket = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this, this.shared.own);
    return true;
  }

  /** Frees everything at once. No event follows. @param reset with RST instead of FIN, where TLS allows it */
  destroy(reset: boolean): void {
    const { socket, state } = this;
    if (reset && socket !== undefined && (state === 'waiting' || state === 'open')) resetSocket(socket);
    this.detach();
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.socket) return;
    const { counters, connectLimiter } = this.shared;
    counters.connectionsOpened++;
    counters.connectionsActive++;
    this.state = 'waiting';
    connectLimiter.release();
    const out = this.outbox.reserve(this.request.length);
    out.used += this.request.copy(out.bytes, out.used);
    this.outbox.write(socket, this.address.tls !== undefined);
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.socket) return false;
    const { shared, owner } = this;
    shared.counters.bytesReceived += length;
    owner.onSourceReadStart(shared.now());
    this.read(this.slow?.buffer ?? shared.readBuffer, length);
    owner.onSourceReadEnd();
    if (this.slow === undefined || socket !== this.socket) return true;
    this.slow.rest(socket, length);
    return false;
  }

  onSocketEnd(socket: net.Socket): void {
    if (socket !== this.socket) return;
    if (this.refused !== undefined) this.refuse(this.refused.toString('utf8'));
    else this.lose(lost('the server closed the event stream'));
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.socket) return;
    if (this.state === 'connecting') return this.lose(connectProblem(error));
    this.lose(lost(error === undefined ? 'the event stream was closed' : describeError(error)));
  }

  onEvent(type: string, bytes: Buffer, start: number, end: number): void {
    if (this.state === 'open') this.owner.onEvent(type, bytes, start, end);
  }

  private read(bytes: Buffer, end: number): void {
    const { parser, sse } = this;
    parser.at = 0;
    while (this.state === 'waiting' || this.state === 'open') {
      switch (parser.next(bytes, end)) {
        case 'head':
          this.judge(parser.head);
          break;
        case 'body':
          if (this.refused === undefined) sse.feed(bytes, parser.dataStart, parser.dataEnd, this);
          else this.hear(this.refused, bytes, parser.dataStart, parser.dataEnd);
          break;
        case 'more':
          sse.settle();
          if (sse.held > this.shared.answerLimits.bodyBytes)
            this.lose({ category: 'answer_limit', detail: overLimit('an event', this.shared.answerLimits.bodyBytes) });
          return;
        case 'end':
          return this.refused === undefined
            ? this.lose(lost('the server ended the event stream'))
            : this.refuse(this.refused.toString('utf8'));
        case 'broken':
          return this.lose(unreadable(parser));
      }
    }
  }

  private judge({ status, mediaType, contentType, location, retryAfter }: ResponseHead): void {
    if (status >= 200 && status < 300 && mediaType === 'event-stream') {
      this.state = 'open';
    } else if (status >= 200 && status < 300) {
      const type = contentType === '' ? '(none)' : describe(contentType);
      this.lose(violation(`an answer of type ${type} to GET, not text/event-stream`));
    } else if (status < 400) {
      const redirect = `redirects to ${describe(location)}; redirects are not followed`;
      this.lose({ category: `http_${status}`, detail: `HTTP ${status} ${redirect}` }, retryAfter);
    } else this.refused = Buffer.alloc(0);
  }

  /** More of the words of a refusal. */
  private hear(before: Buffer, bytes: Buffer, start: number, end: number): void {
    this.refused = Buffer.concat([before, bytes.subarray(start, end)]);
    if (this.refused.length >= MAX_REFUSAL_BYTES) this.refuse(this.refused.toString('utf8'));
  }

  private refuse(body: string): void {
    const { head } = this.parser;
    const detail = `HTTP ${head.status} to GET of the event stream${inWords({ ...head, body })}`;
    this.lose({ category: `http_${head.status}`, detail }, head.retryAfter);
  }

  private lose(problem: Problem, retryAfter = ''): void {
    if (this.state === 'gone') return;
    this.detach();
    this.owner.onSourceLost(problem, retryAfter);
  }

  private detach(): void {
    const { state, socket } = this;
    const { counters, connectLimiter } = this.shared;
    this.state = 'gone';
    this.socket = undefined;
    this.slow?.stop();
    this.outbox.drop();
    socket?.destroy();
    if (state === 'waiting' || state === 'open') counters.connectionsActive--;
    if (state === 'connecting') connectLimiter.release();
  }
}
