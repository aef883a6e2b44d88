import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildRoot } from './package-root.js';
import { onTestEnd } from './test-end.js';

/** A program of ours that a test started; it is ended with the test, whatever happens. */
export interface Program {
  readonly pid: number;
  /** Everything it wrote so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
  /**
   * Resolves when `pattern` is found in what it wrote (stdout and stderr); rejects when it ends before, or too late.
   */
  wrote(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
}

/**
 * Starts a compiled program of this build.
 * @param entry path from the build's root, for example `harness/cli/main.js`
 * @param cwd default: that of the tests
 */
export function startProgram(
  entry: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Program {
  return startCommand([process.execPath, join(buildRoot, entry), ...args], env, cwd, `${entry} ${args.join(' ')}`);
}

/** Starts any program: a command and its arguments. */
export function startCommand(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
  name = `${command} ${args.join(' ')}`,
): Program {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', ...env },
    cwd,
  });
  const program = follow(child, name);
  onTestEnd(async () => {
    child.kill('SIGKILL');
    await program.ended;
  });
  return program;
}

function follow(child: ChildProcess, name: string): Program {
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const notify = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    notify();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    notify();
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });

  function wrote(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(stdout) ?? pattern.exec(stderr);
        if (found !== null) settle(() => resolve(found));
      };
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        watchers.delete(look);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${name}: ${why} before ${pattern}\n${stdout}\n${stderr}`)));
      const timer = setTimeout(() => fail(`${withinMs} ms passed`), withinMs);
      watchers.add(look);
      void ended.then((code) => fail(`ended (${code})`));
      look();
    });
  }

  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    kill: (signal) => void child.kill(signal),
    wrote,
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie is gone: whether and when it is reaped is up to the machine's first process.
  if (!existsSync('/proc/self/stat')) return true;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Waits for the line with which our servers say that they listen. */
export async function listeningUrl(program: Program): Promise<string> {
  const line = await program.wrote(/^\{"listening":\{"url":"([^"]+)".*\}\}$/m);
  return line[1] ?? '';
}
