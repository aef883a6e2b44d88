/**
 * The only file of the harness that uses the process: arguments, environment, streams, signals, exit. All other code
 * gets a `Host` and returns.
 */
import { writeSync } from 'node:fs';
import type { ProcessHost } from '../platform/local/program.js';
import { CliError, renderError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import { forTerminal } from './terminal/safe-text.js';

export interface Host {
  /** Without the name of the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly processes: ProcessHost;
  /**
   * As long as there is a listener, SIGINT, SIGTERM and SIGHUP do not end the process. Returns the function that
   * removes the listener.
   */
  onInterrupt(listener: (signal: Interrupt) => void): () => void;
}

/** SIGHUP: the terminal was closed. */
export type Interrupt = (typeof INTERRUPTS)[number];
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Output {
  readonly isTTY: boolean;
  readonly columns: () => number;
  readonly write: (text: string) => void;
}

const DEFAULT_COLUMNS = 80;
const SHOW_CURSOR = '\x1b[?25h';

function createHost(cwd: string): Host {
  return {
    args: process.argv.slice(2),
    env: process.env,
    cwd,
    pid: process.pid,
    nodeVersion: process.versions.node,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    processes: { execPath: process.execPath, platform: process.platform, env: process.env, kill },
    onInterrupt(listener) {
      const listeners = INTERRUPTS.map((signal) => [signal, () => listener(signal)] as const);
      for (const [signal, listen] of listeners) process.on(signal, listen);
      return () => {
        for (const [signal, listen] of listeners) process.off(signal, listen);
      };
    },
  };
}

export interface GuestOptions {
  readonly args: readonly string[];
  /** Default: that of the process. */
  readonly cwd?: string | undefined;
  /** On top of the environment of the process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onStdout: (text: string) => void;
  readonly onStderr: (text: string) => void;
  /** Aborting it is what Ctrl-C is on the command line. */
  readonly signal?: AbortSignal | undefined;
}

/** The host of a command within somebody else's program: that program keeps its streams and its signals. */
export function guestHost({ args, cwd, env = {}, onStdout, onStderr, signal }: GuestOptions): Host {
  const output = (write: (text: string) => void): Output => ({ isTTY: false, columns: () => DEFAULT_COLUMNS, write });
  return {
    ...createHost(cwd ?? process.cwd()),
    args,
    env: { ...process.env, ...env },
    stdout: output(onStdout),
    stderr: output(onStderr),
    onInterrupt(listener) {
      const interrupt = (): void => listener('SIGINT');
      if (signal?.aborted === true) interrupt();
      signal?.addEventListener('abort', interrupt);
      return () => signal?.removeEventListener('abort', interrupt);
    },
  };
}

/** Runs `main` and ends the process with its code once everything it has written is out. */
export async function runProcess(main: (host: Host) => Promise<number>): Promise<void> {
  if (process.stderr.isTTY) process.on('exit', showCursor);
  let isLost = false;
  process.stdout.on('error', (error) => {
    if (isLost || isMissingReader(error)) return;
    isLost = true;
    complain(
      `cannot write to standard output: ${error.message}`,
      'where does it go, and is there room?',
      'OUTPUT_LOST',
    );
  });
  // There is nowhere left to say so.
  process.stderr.on('error', () => undefined);
  const cwd = currentFolder();
  if (cwd === undefined) {
    complain('the current folder is gone', 'change to a folder that exists, with `cd`', 'FOLDER_GONE');
    process.exit(exitCode.usage);
  }
  const code = await main(createHost(cwd));
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  );
  // What was asked for did not reach anybody.
  process.exit(isLost && code === exitCode.passed ? exitCode.internal : code);
}

/** Undefined when it was removed. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function complain(message: string, hint: string, code: string): void {
  process.stderr.write(renderError(new CliError({ code, message, hint })));
}

/** However the process ends, the cursor of the terminal is visible again. */
function showCursor(): void {
  writeSync(process.stderr.fd, SHOW_CURSOR);
}

/** After `swarmbench run 2>&1 | head -3`, or in a closed terminal, nothing reads our output: carry on all the same. */
function isMissingReader(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'EIO';
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    isTTY: stream.isTTY === true,
    columns: () => stream.columns ?? DEFAULT_COLUMNS,
    write: (text) => void stream.write(forTerminal(text)),
  };
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    // EPERM: there is such a process, but it is not ours.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
