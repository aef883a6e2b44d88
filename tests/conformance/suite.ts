import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
/** The suite needs this Node; swarmbench itself does not. */
const SUITE_NODE = 'node@24';
const TIME_LIMIT_MS = 120_000;

export interface Judged {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

/** The official suite, fetched once. */
export class Suite {
  private constructor(private readonly folder: string) {}

  /** @param folder for the suite and its results; the caller removes it */
  static async fetch(folder: string): Promise<Suite> {
    await promisify(execFile)('npm', [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      folder,
      SUITE_NODE,
      SUITE,
    ]);
    return new Suite(folder);
  }

  async judge(args: readonly string[]): Promise<Judged> {
    const modules = join(this.folder, 'node_modules');
    const child = spawn(
      join(modules, '.bin', 'node'),
      [join(modules, '@modelcontextprotocol/conformance/dist/index.js'), ...args],
      {
        cwd: this.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: TIME_LIMIT_MS,
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
    const counts = [...output.matchAll(/Passed: (\d+)\/\d+, (\d+) failed/g)].at(-1);
    return { passed: Number(counts?.[1] ?? 0), failed: Number(counts?.[2] ?? 1), output };
  }
}
