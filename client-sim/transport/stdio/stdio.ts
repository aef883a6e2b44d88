import type { ServerCommand } from '../../../scenarios/schema/plan.js';
import type { RequestTemplate } from '../../mcp/compile-request.js';
import type { Draw } from '../../mcp/draw.js';
import { type Problem, violation } from '../../mcp/judge-message.js';
import type { Endpoint } from '../../protocol/messages.js';
import { type CreateLink, type DuplexLink, type DuplexOwner, NO_LIMIT } from '../duplex/duplex-link.js';
import type { FramingHandler } from '../duplex/framing.js';
import type { WireShared } from '../shared.js';
import { type Connecting, ConnectLimiter } from '../socket/connect-limiter.js';
import { newOutbox, type Outbox, writtenTo } from '../socket/outbox.js';
import { type Pace, paceOf } from '../socket/pace.js';
import { LineFraming } from '../tcp/line-framing.js';
import { ServerProcess, type ServerProcessOwner } from './server-process.js';

/** MCP over the standard streams of a process: one is started for each session, and ended with it. */
export const stdioLink: CreateLink = (owner, shared, config) =>
  new PipeLink(owner, shared, serverOf(config.endpoint), paceOf(config));

/** @throws TypeError for an endpoint that names no command */
function serverOf({ url, server }: Endpoint): ServerCommand {
  if (server === undefined) throw new TypeError(`${url} names no command to start`);
  return server;
}

/** Bytes that the server has not taken, beyond which no more requests are put behind them. */
const MOST_BACKLOG_BYTES = 1_048_576;
/** Processes of one engine thread that start at once: each costs a good part of a second of a core until it answers. */
const MOST_STARTING = 4;

const starting = new ConnectLimiter(MOST_STARTING);

/** One message a line over the pipes of a process that is started for this session and ends with it. */
class PipeLink implements DuplexLink, Connecting, FramingHandler, ServerProcessOwner {
  startedAtMs = 0;
  nowMs = 0;
  isBacklogged = false;

  private state: 'new' | 'queued' | 'ready' | 'leaving' | 'gone' = 'new';
  private isStarting = false;
  private process: ServerProcess | undefined;
  private reading = false;
  private readonly framing = new LineFraming();
  private readonly outbox: Outbox;

  /** @param pace what is undefined goes as fast as it can */
  constructor(
    private readonly owner: DuplexOwner,
    private readonly shared: WireShared,
    private readonly server: ServerCommand,
    private readonly pace: Pace = {},
  ) {
    this.outbox = newOutbox(shared, pace);
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }
  get room(): number {
    return this.isBacklogged ? 0 : NO_LIMIT;
  }
  /** Of the process, once it runs. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  connect(): void {
    this.state = 'queued';
    starting.acquire(this);
  }

  begin(): boolean {
    if (this.state !== 'queued') return false;
    this.isStarting = true;
    this.startedAtMs = this.shared.now();
    this.state = 'ready';
    this.process = new ServerProcess(this, this.server, this.pace.readBytesPerSecond);
    if (this.process.pid === undefined) return true;
    this.shared.counters.connectionsOpened++;
    this.shared.counters.connectionsActive++;
    // Its input may be written at once: the pipe holds it until the server reads.
    this.owner.onReady();
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

  say(message: string): void {
    if (this.state !== 'ready') return;
    this.shared.counters.messagesSent++;
    this.add(this.framing.frame(message));
    this.flush();
  }

  raw(pieces: readonly Buffer[], sent: () => void): void {
    const input = this.process?.input;
    if (this.state !== 'ready' || input === undefined) return;
    this.shared.counters.messagesSent += pieces.length;
    for (const piece of pieces) this.add(piece);
    this.flush();
    this.outbox.handedOver(() => writtenTo(input, sent));
  }

  flush(): void {
    const input = this.process?.input;
    if (this.reading || this.outbox.isEmpty || input === undefined || this.state !== 'ready') return;
    this.outbox.write(input, true);
    if (input.writableLength <= MOST_BACKLOG_BYTES || this.isBacklogged) return;
    this.isBacklogged = true;
    input.once('drain', () => {
      this.isBacklogged = false;
      if (this.state === 'ready') this.owner.onDrained();
    });
  }

  leave(): void {
    this.flush();
    this.state = 'leaving';
    this.outbox.handedOver(() => this.process?.leave());
  }

  fail(problem: Problem): void {
    this.lose(problem);
  }

  cut(): void {
    if (this.state === 'gone') return;
    this.disconnect();
  }

  rejectText(): void {
    this.framing.rejectText();
  }

  onOutput(chunk: Buffer): void {
    if (this.state !== 'ready') return;
    this.nowMs = this.shared.now();
    this.shared.counters.bytesReceived += chunk.length;
    this.finishStarting();
    this.reading = true;
    this.owner.onTurnStart?.(this.nowMs);
    const readable = this.framing.read(chunk, chunk.length, this);
    this.owner.onTurnOver?.();
    this.reading = false;
    if (!readable) this.lose(violation(this.framing.problem));
    else this.flush();
  }

  onEnded(words: string, started: boolean): void {
    this.lose(
      started
        ? { category: 'stream_lost', detail: `the server is no more: ${words}` }
        : { category: 'connect', detail: `${this.server.command[0] ?? ''}: ${words}` },
    );
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    this.owner.onMessage(bytes, start, end);
  }

  // Lines have nothing of their own to say.
  onAccepted(): void {}
  onRefused(): void {}
  onReply(): void {}
  onGoodbye(): void {}

  private add(bytes: Buffer): void {
    const out = this.outbox.reserve(bytes.length);
    out.used += bytes.copy(out.bytes, out.used);
  }

  private lose(problem: Problem): void {
    if (this.state === 'gone') return;
    const stderr = this.process?.stderr ?? '';
    this.disconnect();
    this.owner.onLost({
      problem,
      retryAfter: '',
      answer: stderr === '' ? '' : `(the last it wrote to stderr)\n${stderr}`,
    });
  }

  private disconnect(): void {
    this.state = 'gone';
    if (this.process?.pid !== undefined) this.shared.counters.connectionsActive--;
    this.framing.stop();
    this.outbox.drop();
    this.finishStarting();
    this.process?.kill();
  }

  /** It has answered, or is gone: the next may start. */
  private finishStarting(): void {
    if (!this.isStarting) return;
    this.isStarting = false;
    starting.release();
  }
}
