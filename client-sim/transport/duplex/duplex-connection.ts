import type net from 'node:net';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { type Problem, violation } from '../../mcp/judge-message.js';
import type { Endpoint } from '../../protocol/messages.js';
import { duplexMemory, type WireShared } from '../shared.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { newOutbox, type Outbox, writtenTo } from '../socket/outbox.js';
import { type Pace, paceOf, SlowReader } from '../socket/pace.js';
import { type Address, describeError, lost, openSocket, resetSocket, type SocketOwner } from '../socket/socket.js';
import {
  type CreateLink,
  type DuplexLink,
  type DuplexOwner,
  type LinkConfig,
  type LinkLoss,
  NO_LIMIT,
} from './duplex-link.js';
import type { Framing, FramingHandler } from './framing.js';

type State = 'new' | 'queued' | 'connecting' | 'opening' | 'ready' | 'leaving' | 'gone';

/** Bytes that the kernel has not taken, beyond which no more requests are put behind them. */
const MOST_BACKLOG_BYTES = 1_048_576;

/**
 * One TCP or TLS connection that carries messages both ways. It is made once and never comes back: a session ends with
 * it.
 */
export class DuplexConnection implements DuplexLink, Connecting, SocketOwner, FramingHandler {
  startedAtMs = 0;
  /** When the read now being worked on came. */
  nowMs = 0;
  isBacklogged = false;

  private state: State = 'new';
  private socket: net.Socket | undefined;
  /** Flushes asked for within a read are done at its end: one write for all that its messages set off. */
  private reading = false;
  private readonly outbox: Outbox;
  private readonly slow: SlowReader | undefined;

  /** @param pace what is undefined goes as fast as it can */
  constructor(
    private readonly owner: DuplexOwner,
    private readonly shared: WireShared,
    private readonly address: Address,
    private readonly framing: Framing,
    pace: Pace = {},
  ) {
    this.slow = SlowReader.of(pace);
    this.outbox = newOutbox(shared, pace);
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }
  get room(): number {
    return this.isBacklogged ? 0 : NO_LIMIT;
  }

  connect(): void {
    this.state = 'queued';
    this.shared.connectLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.startedAtMs = this.shared.now();
    this.socket = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this);
    return true;
  }

  put(template: RequestTemplate, id: number, draw: Draw): void {
    const { framing } = this;
    const out = this.outbox.reserve(framing.maxBytes(template));
    out.used = framing.writeRequest(out.bytes, out.used, template, id, draw);
    this.shared.counters.messagesSent++;
  }

  // It is on its way: there is nothing to take back.
  abandon(): void {}

  /** One message that is not load. */
  say(message: string): void {
    this.shared.counters.messagesSent++;
    this.add(this.framing.frame(message));
    this.flush();
  }

  raw(pieces: readonly Buffer[], sent: () => void): void {
    this.shared.counters.messagesSent += pieces.length;
    for (const piece of pieces) this.add(piece);
    this.flush();
    const { socket } = this;
    if (socket !== undefined) this.outbox.handedOver(() => writtenTo(socket, sent));
  }

  flush(): void {
    const { socket, outbox } = this;
    if (this.reading || outbox.isEmpty || socket === undefined || this.state !== 'ready') return;
    outbox.write(socket, this.address.tls !== undefined);
    if (socket.writableLength > MOST_BACKLOG_BYTES && !this.isBacklogged) this.awaitDrain(socket);
  }

  /** Says goodbye and stops sending; the server's own goodbye, or the end of the connection, comes as its loss. */
  leave(): void {
    const goodbye = this.framing.goodbye();
    if (goodbye !== undefined) this.add(goodbye);
    this.reading = false;
    this.flush();
    this.state = 'leaving';
    const { socket } = this;
    if (goodbye === undefined && socket !== undefined) this.outbox.handedOver(() => socket.end());
  }

  /** It cannot go on: what came makes no sense. */
  fail(problem: Problem): void {
    this.lose({ problem, retryAfter: '', answer: '' });
  }

  /**
   * For good, and without a word to the owner.
   * @param reset with RST instead of FIN; Node can do that on plain TCP only, over TLS the socket is just closed
   */
  cut(reset: boolean): void {
    if (this.state === 'gone') return;
    const { socket } = this;
    if (reset && socket !== undefined && (this.state === 'ready' || this.state === 'leaving')) resetSocket(socket);
    this.disconnect();
    socket?.destroy();
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.socket) return;
    const { counters, connectLimiter } = this.shared;
    counters.connectionsOpened++;
    counters.connectionsActive++;
    this.state = 'opening';
    connectLimiter.release();
    const { opening } = this.framing;
    if (opening === undefined) return this.onAccepted();
    this.add(opening);
    this.outbox.write(socket, this.address.tls !== undefined);
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.socket) return false;
    const { shared, framing } = this;
    this.nowMs = shared.now();
    shared.counters.bytesReceived += length;
    this.reading = true;
    this.owner.onTurnStart?.(this.nowMs);
    const readable = framing.read(this.slow?.buffer ?? shared.readBuffer, length, this);
    this.owner.onTurnOver?.();
    this.reading = false;
    if (!readable) this.unreadable();
    else this.flush();
    if (this.slow === undefined || socket !== this.socket) return true;
    this.slow.rest(socket, length);
    return false;
  }

  onSocketEnd(socket: net.Socket): void {
    if (socket === this.socket)
      this.fail(lost(`the server closed the connection ${this.framing.idle ? 'before' : 'within'} the answer`));
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.socket) return;
    const cause = error === undefined ? 'the connection was closed' : describeError(error);
    if (this.state === 'connecting') this.fail({ category: 'connect', detail: cause });
    else this.fail(lost(`${cause}, ${this.framing.idle ? 'before' : 'within'} the answer`));
  }

  onAccepted(): void {
    this.state = 'ready';
    this.owner.onReady();
  }

  onRefused(problem: Problem, retryAfter: string, answer: string): void {
    this.lose({ problem, retryAfter, answer });
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    this.owner.onMessage(bytes, start, end);
  }

  onReply(frame: Buffer): void {
    if (this.state === 'ready') this.add(frame);
  }

  onGoodbye(words: string): void {
    this.lastWords();
    this.fail(lost(`the server closed the connection ${words}`));
  }

  /** The message just given to the owner is not UTF-8. */
  rejectText(): void {
    this.framing.rejectText();
  }

  private unreadable(): void {
    const { complaint, problem } = this.framing;
    if (complaint !== undefined) this.add(complaint);
    this.lastWords();
    this.fail(violation(problem));
  }

  private add(frame: Buffer): void {
    const out = this.outbox.reserve(frame.length);
    out.used += frame.copy(out.bytes, out.used);
  }

  private lastWords(): void {
    this.reading = false;
    this.flush();
  }

  private lose(loss: LinkLoss): void {
    if (this.state === 'gone') return;
    const { socket } = this;
    this.disconnect();
    // Last words that the kernel has taken still go out before the FIN; nobody waits for more.
    socket?.destroy();
    this.owner.onLost(loss);
  }

  private disconnect(): void {
    const { state } = this;
    const { counters, connectLimiter } = this.shared;
    this.state = 'gone';
    this.socket = undefined;
    this.framing.stop();
    this.outbox.drop();
    this.slow?.stop();
    if (state === 'opening' || state === 'ready' || state === 'leaving') counters.connectionsActive--;
    if (state === 'connecting') connectLimiter.release();
  }

  private awaitDrain(socket: net.Socket): void {
    this.isBacklogged = true;
    socket.once('drain', () => {
      this.isBacklogged = false;
      if (this.state === 'ready') this.owner.onDrained();
    });
  }
}

/** Links that are sockets with this framing, made anew for each. */
export function overSocket(newFraming: (endpoint: Endpoint) => Framing): CreateLink {
  return (owner, shared, config) =>
    new DuplexConnection(owner, shared, socketAddress(config, shared), newFraming(config.endpoint), paceOf(config));
}

export function socketAddress(
  { endpoint, resettable }: Pick<LinkConfig, 'endpoint' | 'resettable'>,
  shared: WireShared,
): Address {
  const { address } = duplexMemory(endpoint, shared);
  return resettable === true ? { ...address, resettable } : address;
}
