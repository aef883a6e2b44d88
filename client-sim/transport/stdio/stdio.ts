import type { Writable } from 'node:stream';
import type { ServerCommand } from '../../../scenarios/schema/plan.js';
import { isObject } from '../../mcp/json-value.js';
import { unreadable } from '../../mcp/judge-message.js';
import { parseMessage } from '../../mcp/scan-answer.js';
import type { Problem } from '../../measure/failure.js';
import type { Endpoint } from '../../protocol/messages.js';
import { afterword, type CreateLink, type DuplexOwner, onStderr } from '../duplex/duplex-link.js';
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
  /** The server has sent its first message. */
  private hasSpoken = false;
  /** Lines before it that are no messages. */
  private preamble = '';
  private process: ServerProcess | undefined;

  constructor(
    owner: DuplexOwner,
    shared: ProfileShared,
    private readonly server: ServerCommand,
    private readonly pace: Pace,
  ) {
    super(owner, shared, new LineFraming(shared.answerLimits.bodyBytes), true, pace);
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
    this.process = new ServerProcess(this, this.server, this.shared.log, this.pace.readBytesPerSecond);
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

  get serverWords(): string {
    const stderr = this.process?.stderr ?? '';
    return this.preamble === '' ? stderr : `(on stdout, before its first message)\n${this.preamble}${stderr}`;
  }

  fail(problem: Problem): void {
    if (this.state === 'gone') return;
    const { serverWords } = this;
    this.detach();
    this.owner.onLost({
      problem: { ...problem, detail: `${problem.detail}${afterword(serverWords)}` },
      retryAfter: '',
      answer: serverWords === '' ? '' : onStderr(serverWords),
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

  /**
   * What a server prints to its standard output before its first message is ignored, as the official clients do: many
   * greet there. After that, a line that is no message is an error.
   */
  override onMessage(bytes: Buffer, start: number, end: number): void {
    if (!this.hasSpoken) {
      if (!isMessage(bytes, start, end)) {
        if (this.preamble.length < MAX_PREAMBLE_CHARACTERS) this.preamble += `${bytes.toString('utf8', start, end)}\n`;
        return;
      }
      this.hasSpoken = true;
    }
    super.onMessage(bytes, start, end);
  }

  // Lines have no handshake and no messages of their own.
  onAccepted(): void {}
  onRefused(): void {}
  onReply(): void {}
  onPeerClose(): void {}

  protected onUnreadable(): void {
    this.fail(unreadable(this.framing));
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

const MAX_PREAMBLE_CHARACTERS = 2048;

/** Whether a line is meant for a client: JSON with a member that JSON-RPC has and lines of a log do not. */
function isMessage(bytes: Buffer, start: number, end: number): boolean {
  const parsed = parseMessage(bytes, start, end);
  if (!parsed.ok) return false;
  const { value } = parsed;
  return (
    Array.isArray(value) || (isObject(value) && ['jsonrpc', 'result', 'error', 'id'].some((name) => name in value))
  );
}
