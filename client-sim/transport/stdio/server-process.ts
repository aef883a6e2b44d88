import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { ServerCommand } from '../../../scenarios/schema/plan.js';
import type { Endpoint } from '../../protocol/messages.js';
import { redact } from '../sample.js';
import { READS_PER_SECOND } from '../socket/pace.js';
import { releaseGroup, signalGroup, startGuarded } from './process-group-guard.js';
import { ServerLog } from './server-log.js';

/** How many of the last bytes that a server wrote to stderr are kept. */
const TAIL_BYTES = 2048;
/** Times after its input was closed: until it is asked to end, and until it is killed (MCP, stdio, Shutdown). */
const ASK_AFTER_MS = 500;
const KILL_AFTER_MS = 1500;
/** How long to wait for output that is still in the pipe of an ended process. A grandchild may hold the pipe open. */
const LAST_OUTPUT_MS = 100;

export interface ServerProcessOwner {
  onOutput(chunk: Buffer): void;
  /**
   * Called once: it could not be started (`started` false), or has ended and its output is read.
   * @param error why it could not be started
   */
  onEnded(reason: string, started: boolean, error?: Error): void;
}

/** A server that we start, in a process group of its own, so that its children end with it. */
export class ServerProcess {
  readonly input: Writable;
  readonly pid: number | undefined;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private tail: Buffer = Buffer.alloc(0);
  private isOver = false;
  private hasExited = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly slow: SlowOutput | undefined;
  private readonly log: ServerLog;
  /** Names the secrets that it was given. */
  private readonly endpoint: Endpoint;

  /** @param log one line of its standard error @param readBytesPerSecond undefined: as fast as it writes */
  constructor(
    private readonly owner: ServerProcessOwner,
    server: ServerCommand,
    log: (line: string) => void,
    readBytesPerSecond?: number,
  ) {
    this.endpoint = { url: 'stdio://localhost', headers: {}, server };
    const { command, env, inherited, cwd } = server;
    const [file = '', ...args] = command;
    // Without our own environment, which holds tokens that are not for the server.
    this.child = startGuarded(() =>
      spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, cwd, env: { ...inherited, ...env } }),
    );
    const { child } = this;
    this.pid = child.pid;
    this.input = child.stdin;
    // The error of a folder that is missing names the program.
    const noFolder = cwd === undefined || existsSync(cwd) ? undefined : `there is no folder ${cwd} to start it in`;
    child.once('error', (error) =>
      this.end(`it could not be started: ${noFolder ?? error.message}`, child.pid !== undefined, error),
    );
    child.stdin.on('error', () => undefined);
    if (readBytesPerSecond === undefined) child.stdout.on('data', (chunk: Buffer) => this.onOutput(chunk));
    else this.slow = new SlowOutput(child.stdout, readBytesPerSecond, (chunk) => this.onOutput(chunk));
    child.stdout.on('error', () => undefined);
    this.log = new ServerLog(child.pid, (text) => this.shown(text), log);
    child.stderr.on('data', (chunk: Buffer) => this.onErrorOutput(chunk));
    child.stderr.on('error', () => undefined);
    child.once('exit', (code, signal) =>
      this.onExit(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
    );
  }

  /** The last bytes it wrote to stderr, without the secrets that it was given. */
  get stderr(): string {
    return this.shown(this.tail.toString('utf8').trim());
  }

  /** Closes its input, then asks it to end, then kills it. `onEnded` follows. */
  shutDown(): void {
    this.child.stdin.end();
    this.timer = setTimeout(() => {
      this.signal('SIGTERM');
      this.timer = setTimeout(() => this.signal('SIGKILL'), KILL_AFTER_MS - ASK_AFTER_MS);
    }, ASK_AFTER_MS);
  }

  /** Kills it and its children at once. No `onEnded` follows. */
  kill(): void {
    this.isOver = true;
    this.log.end();
    clearTimeout(this.timer);
    this.slow?.stop();
    this.signal('SIGKILL');
    this.child.stdin.destroy();
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }

  private shown(text: string): string {
    return redact(text, this.endpoint);
  }

  private onErrorOutput(chunk: Buffer): void {
    this.tail = Buffer.concat([this.tail, chunk]).subarray(-TAIL_BYTES);
    this.log.add(chunk);
  }

  private onOutput(chunk: Buffer): void {
    if (!this.isOver) this.owner.onOutput(chunk);
  }

  private onExit(reason: string): void {
    this.hasExited = true;
    clearTimeout(this.timer);
    if (this.child.pid !== undefined) {
      // Kills its children, if it left any behind.
      signalGroup(this.child.pid, 'SIGKILL');
      releaseGroup(this.child.pid);
    }
    const outputs = [this.child.stdout, this.child.stderr].filter((output) => !output.readableEnded);
    let left = outputs.length;
    if (left === 0) return this.end(reason, true);
    const late = setTimeout(() => this.end(reason, true), LAST_OUTPUT_MS);
    for (const output of outputs)
      output.once('end', () => {
        if (--left > 0) return;
        clearTimeout(late);
        this.end(reason, true);
      });
  }

  private end(reason: string, started: boolean, error?: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.log.end();
    this.owner.onEnded(reason, started, error);
  }

  private signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.hasExited && this.child.pid !== undefined) signalGroup(this.child.pid, signal);
  }
}

/**
 * Reads the output of a process slowly: one piece, then none until the piece's time is up. The rest stays in the
 * stream's own buffer (64 KiB) and in the pipe (64 KiB on Linux); once both are full, the process cannot write.
 */
class SlowOutput {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly output: Readable,
    private readonly bytesPerSecond: number,
    private readonly onChunk: (chunk: Buffer) => void,
  ) {
    output.on('readable', () => this.read());
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private read(): void {
    if (this.timer !== undefined) return;
    const most = Math.max(1, Math.ceil(this.bytesPerSecond / READS_PER_SECOND));
    const waiting = Math.min(this.output.readableLength, most);
    // Only a read without a length notices the end.
    const chunk = (waiting === 0 ? this.output.read() : this.output.read(waiting)) as Buffer | null;
    if (chunk === null) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.read();
      },
      (chunk.length / this.bytesPerSecond) * 1000,
    );
    this.onChunk(chunk);
  }
}
