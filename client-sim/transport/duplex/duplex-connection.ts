import type net from 'node:net';
import { unreadable } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import { duplexMemory, type ProfileShared } from '../shared.js';
import type { Connecting } from '../socket/connect-limiter.js';
import { type Pace, paceOf, SlowReader } from '../socket/pace.js';
import {
  type Address,
  connectProblem,
  describeError,
  lost,
  openSocket,
  resetSocket,
  resettableIf,
  type SocketOwner,
} from '../socket/socket.js';
import type { CreateLink, DuplexOwner, LinkConfig, LinkLoss } from './duplex-link.js';
import { FramedLink } from './framed-link.js';
import type { Framing } from './framing.js';

type State = 'new' | 'queued' | 'connecting' | 'opening' | 'ready' | 'closing' | 'gone';

/**
 * One TCP or TLS connection that carries messages both ways. It connects once and never comes back: a session ends with
 * its connection.
 */
export class DuplexConnection extends FramedLink implements Connecting, SocketOwner {
  protected output: net.Socket | undefined;
  private state: State = 'new';
  private readonly slow: SlowReader | undefined;

  constructor(
    owner: DuplexOwner,
    shared: ProfileShared,
    private readonly address: Address,
    framing: Framing,
    pace: Pace,
  ) {
    super(owner, shared, framing, address.tls !== undefined, pace);
    this.slow = SlowReader.of(pace);
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  connect(): void {
    this.state = 'queued';
    this.shared.connectLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.state = 'connecting';
    this.startedAtMs = this.shared.now();
    this.output = openSocket(this.address, this.slow?.buffer ?? this.shared.readBuffer, this, this.shared.own);
    return true;
  }

  /** Sends the framing's close message, or ends the stream; the end of the connection is reported as its loss. */
  close(): void {
    const message = this.framing.closeMessage();
    if (message !== undefined) this.add(message);
    this.flushNow();
    this.state = 'closing';
    const { output } = this;
    if (message === undefined && output !== undefined) this.outbox.whenWritten(() => output.end());
  }

  fail(problem: Problem): void {
    this.lose({ problem, retryAfter: '', answer: '' });
  }

  /** @param reset with RST instead of FIN; over TLS only where the address is `resettable` */
  destroy(reset: boolean): void {
    if (this.state === 'gone') return;
    const { output } = this;
    if (reset && output !== undefined && (this.state === 'ready' || this.state === 'closing')) resetSocket(output);
    this.detach();
    output?.destroy();
  }

  onSocketUp(socket: net.Socket): void {
    if (socket !== this.output) return;
    const { counters, connectLimiter } = this.shared;
    counters.connectionsOpened++;
    counters.connectionsActive++;
    this.state = 'opening';
    connectLimiter.release();
    const { opening } = this.framing;
    if (opening === undefined) return this.onAccepted();
    this.add(opening);
    this.outbox.write(socket, this.isAsync);
  }

  onSocketRead(socket: net.Socket, length: number): boolean {
    if (socket !== this.output) return false;
    this.read(this.slow?.buffer ?? this.shared.readBuffer, length);
    if (this.slow === undefined || socket !== this.output) return true;
    this.slow.rest(socket, length);
    return false;
  }

  onSocketEnd(socket: net.Socket): void {
    if (socket === this.output)
      this.fail(lost(`the server closed the connection ${this.framing.idle ? 'before' : 'within'} the answer`));
  }

  onSocketClose(socket: net.Socket, error: Error | undefined): void {
    if (socket !== this.output) return;
    if (this.state === 'connecting') return this.fail(connectProblem(error));
    const cause = error === undefined ? 'the connection was closed' : describeError(error);
    this.fail(lost(`${cause}, ${this.framing.idle ? 'before' : 'within'} the answer`));
  }

  onAccepted(): void {
    this.state = 'ready';
    this.owner.onReady();
  }

  onRefused(problem: Problem, retryAfter: string, answer: string): void {
    this.lose({ problem, retryAfter, answer });
  }

  onReply(frame: Buffer): void {
    if (this.state === 'ready') this.add(frame);
  }

  onPeerClose(how: string): void {
    this.flushNow();
    this.fail(lost(`the server closed the connection ${how}`));
  }

  protected onUnreadable(): void {
    const { errorReply } = this.framing;
    if (errorReply !== undefined) this.add(errorReply);
    this.flushNow();
    this.fail(unreadable(this.framing));
  }

  /** Flushes also within a read. */
  private flushNow(): void {
    this.reading = false;
    this.flush();
  }

  private lose(loss: LinkLoss): void {
    if (this.state === 'gone') return;
    const { output } = this;
    this.detach();
    // Bytes that the kernel has taken still leave before the FIN; there is no need to wait for more.
    output?.destroy();
    this.owner.onLost(loss);
  }

  private detach(): void {
    const { state } = this;
    const { counters, connectLimiter } = this.shared;
    this.state = 'gone';
    this.output = undefined;
    this.framing.stop();
    this.outbox.drop();
    this.slow?.stop();
    if (state === 'opening' || state === 'ready' || state === 'closing') counters.connectionsActive--;
    if (state === 'connecting') connectLimiter.release();
  }
}

/** Links that are sockets with this framing, of which each socket gets its own. */
export function overSocket(newFraming: (endpoint: Endpoint, shared: ProfileShared) => Framing): CreateLink {
  return (owner, shared, config) =>
    new DuplexConnection(
      owner,
      shared,
      socketAddress(config, shared),
      newFraming(config.endpoint, shared),
      paceOf(config),
    );
}

export function socketAddress(
  { endpoint, resettable }: Pick<LinkConfig, 'endpoint' | 'resettable'>,
  shared: ProfileShared,
): Address {
  return resettableIf(resettable, duplexMemory(endpoint, shared).address);
}
