import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ServerCommand } from '../../../scenarios/schema/plan.js';
import { READS_PER_SECOND } from '../socket/pace.js';
import { signalGroup, unwatch, watched } from './guard.js';

/** How much of the last that a server wrote to stderr is kept. */
const TAIL_BYTES = 2048;
/** After its input was closed: until it is asked to end, and until it is ended. MCP, stdio, Shutdown. */
const ASK_AFTER_MS = 500;
const KILL_AFTER_MS = 1500;
/**
 * What a process wrote before it ended may still lie in its pipe; a grandchild that holds the pipe open is not waited
 * for.
 */
const LAST_OUTPUT_MS = 100;

export interface ServerProcessOwner {
  onOutput(chunk: Buffer): void;
  /** Told once: it could not be started (`started` false), or has ended and its output is read. */
  onEnded(words: string, started: boolean): void;
}

/** A server that we start, in a process group of its own, so that what it starts ends with it. */
export class ServerProcess {
  readonly input: Writable;
  readonly pid: number | undefined;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private tail: Buffer = Buffer.alloc(0);
  private over = false;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly slow: SlowOutput | undefined;

  /** @param readBytesPerSecond undefined: as fast as it writes */
  constructor(
    private readonly owner: ServerProcessOwner,
    { command, env, inherited }: ServerCommand,
    readBytesPerSecond?: number,
  ) {
    const [file = '', ...args] = command;
    // Nothing of our own environment, which holds tokens that are not the server's.
    this.child = watched(() =>
      spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { ...inherited, ...env } }),
    );
    const { child } = this;
    this.pid = child.pid;
    this.input = child.stdin;
    child.once('error', (error) => this.end(`it could not be started: ${error.message}`, child.pid !== undefined));
    child.stdin.on('error', () => undefined);
    if (readBytesPerSecond === undefined) child.stdout.on('data', (chunk: Buffer) => this.heard(chunk));
    else this.slow = new SlowOutput(child.stdout, readBytesPerSecond, (chunk) => this.heard(chunk));
    child.stdout.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => (this.tail = Buffer.concat([this.tail, chunk]).subarray(-TAIL_BYTES)));
    child.stderr.on('error', () => undefined);
    child.once('exit', (code, signal) =>
      this.exited(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
    );
  }

  /** The last it wrote to stderr. */
  get stderr(): string {
    return this.tail.toString('utf8').trim();
  }

  /** Closes its input, asks it to end, ends it. `onEnded` follows. */
  leave(): void {
    this.child.stdin.end();
    this.timer = setTimeout(() => {
      this.signal('SIGTERM');
      this.timer = setTimeout(() => this.signal('SIGKILL'), KILL_AFTER_MS - ASK_AFTER_MS);
    }, ASK_AFTER_MS);
  }

  /** At once, with all that it started. No `onEnded` follows. */
  kill(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.slow?.stop();
    this.signal('SIGKILL');
    this.child.stdin.destroy();
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }

  private heard(chunk: Buffer): void {
    if (!this.over) this.owner.onOutput(chunk);
  }

  private exited(words: string): void {
    this.ended = true;
    clearTimeout(this.timer);
    if (this.child.pid !== undefined) {
      // Its children, if it left any behind.
      signalGroup(this.child.pid, 'SIGKILL');
      unwatch(this.child.pid);
    }
    if (this.child.stdout.readableEnded) return this.end(words, true);
    const late = setTimeout(() => this.end(words, true), LAST_OUTPUT_MS);
    this.child.stdout.once('end', () => {
      clearTimeout(late);
      this.end(words, true);
    });
  }

  private end(words: string, started: boolean): void {
    if (this.over) return;
    this.over = true;
    this.owner.onEnded(words, started);
  }

  private signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.ended && this.child.pid !== undefined) signalGroup(this.child.pid, signal);
  }
}

/**
 * A slow reader of a process: takes a piece, then none until the piece's time is up. What is not taken stays in the
 * stream's own buffer (64 KiB) and in the pipe (64 KiB on Linux); once both are full, the process cannot write.
 */
class SlowOutput {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly output: Readable,
    private readonly bytesPerSecond: number,
    private readonly take: (chunk: Buffer) => void,
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
    // Without a length the end is noticed, too.
    const chunk = (waiting === 0 ? this.output.read() : this.output.read(waiting)) as Buffer | null;
    if (chunk === null) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.read();
      },
      (chunk.length / this.bytesPerSecond) * 1000,
    );
    this.take(chunk);
  }
}
