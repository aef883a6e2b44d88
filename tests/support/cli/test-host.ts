/** A host whose streams are strings, for tests of commands without a process of their own. */
import type { Host } from '../../../harness/cli/host.js';
import { forTerminal } from '../../../harness/cli/terminal/safe-text.js';

export interface TestHost extends Host {
  readonly out: () => string;
  readonly err: () => string;
  readonly interrupt: (signal?: 'SIGINT' | 'SIGTERM') => void;
}

export interface TestHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isTTY?: boolean;
}

export function testHost(args: readonly string[], options: TestHostOptions = {}): TestHost {
  let out = '';
  let err = '';
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  const output = (append: (text: string) => void) => ({
    isTTY: options.isTTY ?? false,
    columns: () => 100,
    write: (text: string) => append(forTerminal(text)),
  });
  return {
    args,
    env: { PATH: process.env.PATH, ...options.env },
    cwd: options.cwd ?? process.cwd(),
    pid: process.pid,
    nodeVersion: process.versions.node,
    stdout: output((text) => {
      out += text;
    }),
    stderr: output((text) => {
      err += text;
    }),
    processes: {
      execPath: process.execPath,
      platform: process.platform,
      env: process.env,
      kill(pid, signal) {
        try {
          return process.kill(pid, signal);
        } catch {
          return false;
        }
      },
    },
    onInterrupt(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    out: () => out,
    err: () => err,
    interrupt: (signal = 'SIGINT') => {
      for (const listener of listeners) listener(signal);
    },
  };
}
