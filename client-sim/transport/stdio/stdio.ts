import type { Writable } from 'node:stream';
import type { ServerCommand } from '../../../scenarios/schema/plan.js';
import { violation } from '../../mcp/judge-message.js';
import type { Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { CreateLink, DuplexOwner } from '../duplex/duplex-link.js';
import { FramedLink } from '../duplex/framed-link.js';
import type { ProfileShared } from '../shared.js';
import { type Connecting, ConnectLimiter } from '../socket/connect-limiter.js';
import { type Pace, paceOf } from '../socket/pace.js';
import { connectProblem } from '../socket/socket.js';
import { LineFraming } from '../tcp/tcp.js';
import { ServerProcess, type ServerProcessOwner } from './server-process.js';

/** MCP over the standard streams of a process. Each session starts a process, which ends with it. */
export const stdioLink: CreateLink = (owner, shared, config) =>
  new PipeLink(owner, shared, serverOf(config.endpoint), paceOf(config));

/** @throws TypeError for an endpoint that names no command */
function serverOf({ url, server }: Endpoint): ServerCommand {
  if (server === undefined) throw new TypeError(`${url} names no command to start`);
  return server;
}

/** Processes of one engine thread that start at once: each takes a good part of a second of a core until it answers. */
const MAX_STARTING = 4;

const startLimiter = new ConnectLimiter(MAX_STARTING);

/** One message per line over the pipes of a process that is started for this session and ends with it. */
class PipeLink extends FramedLink implements Connecting, ServerProcessOwner {
  protected output: Writable | undefined;
  private state: 'new' | 'queued' | 'ready' | 'closing' | 'gone' = 'new';
  private isStarting = false;
  private process: ServerProcess | undefined;

  constructor(
    owner: DuplexOwner,
    shared: ProfileShared,
    private readonly server: ServerCommand,
    private readonly pace: Pace,
  ) {
    super(owner, shared, new LineFraming(), true, pace);
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  connect(): void {
    this.state = 'queued';
    startLimiter.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.isStarting = true;
    this.startedAtMs = this.shared.now();
    this.state = 'ready';
    this.process = new ServerProcess(this, this.server, this.pace.readBytesPerSecond);
    this.output = this.process.input;
    if (this.process.pid === undefined) return true;
    this.shared.counters.connectionsOpened++;
    this.shared.counters.connectionsActive++;
    // Its input may be written at once: the pipe holds it until the server reads.
    this.owner.onReady();
    return true;
  }

  close(): void {
    this.flush();
    this.state = 'closing';
    this.outbox.whenWritten(() => this.process?.shutDown());
  }

  fail(problem: Problem): void {
    if (this.state === 'gone') return;
    const stderr = this.process?.stderr ?? '';
    this.detach();
    this.owner.onLost({
      problem,
      retryAfter: '',
      answer: stderr === '' ? '' : `(the last bytes on stderr)\n${stderr}`,
    });
  }

  destroy(): void {
    if (this.state !== 'gone') this.detach();
  }

  onOutput(chunk: Buffer): void {
    if (this.state !== 'ready') return;
    this.finishStarting();
    this.read(chunk, chunk.length);
  }

  onEnded(reason: string, started: boolean, error?: Error): void {
    this.fail(
      started
        ? { category: 'stream_lost', detail: `the server has ended: ${reason}` }
        : { ...connectProblem(error), detail: `${this.server.command[0] ?? ''}: ${reason}` },
    );
  }

  // Lines have no handshake and no messages of their own.
  onAccepted(): void {}
  onRefused(): void {}
  onReply(): void {}
  onPeerClose(): void {}

  protected onUnreadable(): void {
    this.fail(violation(this.framing.problem));
  }

  private detach(): void {
    this.state = 'gone';
    this.output = undefined;
    if (this.process?.pid !== undefined) this.shared.counters.connectionsActive--;
    this.framing.stop();
    this.outbox.drop();
    this.finishStarting();
    this.process?.kill();
  }

  /** The process has answered, or has ended: the next may start. */
  private finishStarting(): void {
    if (!this.isStarting) return;
    this.isStarting = false;
    startLimiter.release();
  }
}
