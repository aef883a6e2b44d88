/**
 * The only file of the harness that uses the process: arguments, environment, streams, signals, exit. All other code
 * gets a `Host` and returns.
 */
import { writeSync } from 'node:fs';
import type { ProcessHost } from '../platform/local/program.js';

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
   * As long as there is a listener, SIGINT, SIGTERM and SIGHUP (passed on as SIGTERM) do not end the process. Returns
   * the function that removes the listener.
   */
  onInterrupt(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
}

export interface Output {
  readonly isTTY: boolean;
  readonly columns: () => number;
  readonly write: (text: string) => void;
}

const DEFAULT_COLUMNS = 80;
const SHOW_CURSOR = '\x1b[?25h';

function createHost(): Host {
  return {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    nodeVersion: process.versions.node,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    processes: { execPath: process.execPath, platform: process.platform, env: process.env, kill },
    onInterrupt(listener) {
      const interrupt = (): void => listener('SIGINT');
      const terminate = (): void => listener('SIGTERM');
      process.on('SIGINT', interrupt);
      process.on('SIGTERM', terminate);
      process.on('SIGHUP', terminate);
      return () => {
        process.off('SIGINT', interrupt);
        process.off('SIGTERM', terminate);
        process.off('SIGHUP', terminate);
      };
    },
  };
}

/** Runs `main` and ends the process with its code once everything it has written is out. */
export async function runProcess(main: (host: Host) => Promise<number>): Promise<void> {
  if (process.stderr.isTTY) process.on('exit', showCursor);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreMissingReader);
  const code = await main(createHost());
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  );
  process.exit(code);
}

/** However the process ends, the cursor of the terminal is visible again. */
function showCursor(): void {
  writeSync(process.stderr.fd, SHOW_CURSOR);
}

/** After `swarmbench run 2>&1 | head -3`, or in a closed terminal, nothing reads our output: carry on all the same. */
function ignoreMissingReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    isTTY: stream.isTTY === true,
    columns: () => stream.columns ?? DEFAULT_COLUMNS,
    write: (text) => void stream.write(text),
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
