/**
 * The launcher in a small project of its own: real npm, real compiler, no network (the one dependency is a folder).
 */

import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

const repository = packageRoot(dirname(fileURLToPath(import.meta.url)));
let base: string;
let project: string;

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function packageRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : packageRoot(dirname(from));
}

function start(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const done = new Promise<Outcome>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, done };
}

function run(...args: string[]): Promise<Outcome> {
  return start(join(project, 'swarmbench'), args, base).done;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

const MAIN = `
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
if (process.argv[2] === 'wait') {
  process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(42); });
  setInterval(() => {}, 1000);
}
console.log(JSON.stringify(process.argv.slice(2)));
export {};
`;

/** As cloned: sources and tools, neither node_modules nor dist. */
beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'swarmbench-launcher-')));
  project = join(base, 'template');
  write(
    'package.json',
    JSON.stringify({
      name: 'launched',
      version: '1.0.0',
      type: 'module',
      devDependencies: { typescript: `file:${join(repository, 'node_modules', 'typescript')}` },
    }),
  );
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2023',
        outDir: 'dist',
        rootDir: '.',
        sourceMap: true,
        types: [],
        strict: true,
        lib: ['es2023', 'dom'],
      },
      include: ['harness', 'missing'],
    }),
  );
  write('harness/cli/main.ts', `declare const process: any;${MAIN}`);
  write('harness/cli/other.ts', 'export const other = 1;\n');
  cpSync(join(repository, 'tools'), join(project, 'tools'), { recursive: true });
  cpSync(join(repository, 'swarmbench'), join(project, 'swarmbench'));
  const lock = await start('npm', ['install', '--package-lock-only', '--offline', '--no-audit', '--no-fund'], project)
    .done;
  expect(lock).toMatchObject({ code: 0 });
}, 60_000);

beforeEach(() => {
  project = join(base, `copy-${Math.random().toString(36).slice(2)}`);
  cpSync(join(base, 'template'), project, { recursive: true });
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('the launcher', () => {
  test('installs and builds once, says so on stderr only, and the second call does neither', async () => {
    const first = await run('run', 'smoke');
    expect(first).toMatchObject({ code: 0, stdout: '["run","smoke"]\n' });
    expect(first.stderr).toMatch(/installing dependencies.*\n.*done in .*\n.*building.*\n.*done in/);

    const second = await run('run', '--set', 'a b=c');
    expect(second).toEqual({ code: 0, signal: null, stdout: '["run","--set","a b=c"]\n', stderr: '' });
  }, 60_000);

  test('passes exit codes and signals through', async () => {
    expect(await run('exit', '99')).toMatchObject({ code: 99 });
    const waiting = start(join(project, 'swarmbench'), ['wait'], base);
    await new Promise((resolve) => waiting.child.stdout.once('data', resolve));
    waiting.child.kill('SIGTERM');
    expect(await waiting.done).toMatchObject({ code: 42, stdout: '["wait"]\ngot SIGTERM\n' });
  }, 60_000);

  test('works through a chain of symbolic links', async () => {
    mkdirSync(join(base, 'bin'), { recursive: true });
    symlinkSync(join(project, 'swarmbench'), join(base, 'bin', 'one'));
    symlinkSync('one', join(base, 'bin', 'two'));
    expect(await start(join(base, 'bin', 'two'), ['x'], tmpdir()).done).toMatchObject({ code: 0, stdout: '["x"]\n' });
  }, 60_000);

  test('builds again when a source changes, not when it is touched; removes outputs of deleted sources', async () => {
    await run();
    const now = new Date();
    utimesSync(join(project, 'harness/cli/main.ts'), now, now);
    expect((await run()).stderr).toBe('');

    write('harness/cli/main.ts', 'console.log("changed");\nexport {};\n');
    rmSync(join(project, 'harness/cli/other.ts'));
    const rebuilt = await run();
    expect(rebuilt).toMatchObject({ code: 0, stdout: 'changed\n' });
    expect(rebuilt.stderr).toMatch(/building/);
    expect(rebuilt.stderr).not.toMatch(/installing/);
    expect(existsSync(join(project, 'dist/harness/cli/other.js'))).toBe(false);

    rmSync(join(project, 'dist/harness/cli/main.js'));
    expect(await run()).toMatchObject({ code: 0, stdout: 'changed\n' });
  }, 60_000);

  test('installs again when the lock file changes what is installed, and accepts what npm installed', async () => {
    await run();
    rmSync(join(project, 'node_modules'), { recursive: true });
    expect(await start('npm', ['ci', '--offline', '--no-audit', '--no-fund'], project).done).toMatchObject({ code: 0 });
    expect((await run()).stderr).toBe('');

    const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string }>;
    };
    for (const [path, entry] of Object.entries(lock.packages))
      if (path !== '' && entry.version !== undefined) entry.version = '99.0.0';
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify(lock));
    expect((await run()).stderr).toMatch(/installing/);
  }, 60_000);

  test("a type error fails with the compiler's message, and the build stays stale", async () => {
    write('harness/cli/other.ts', 'export const other: number = "text";\n');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const failed = await run();
      expect(failed).toMatchObject({ code: 1, stdout: '' });
      expect(failed.stderr).toMatch(/error: the build failed[^]*other\.ts[^]*hint: /);
    }
  }, 60_000);

  test('two at once wait for each other; a lock left by a dead process blocks neither', async () => {
    write('.build/prepare.lock', JSON.stringify({ pid: 2 ** 22 + 1, host: 'elsewhere' }));
    utimesSync(join(project, '.build/prepare.lock'), new Date(0), new Date(0));
    const outcomes = await Promise.all([run('a'), run('b')]);
    expect(outcomes.map((outcome) => outcome.stdout)).toEqual(['["a"]\n', '["b"]\n']);
    const said = outcomes.map((outcome) => outcome.stderr).join('');
    expect(said.match(/installing dependencies \.\.\./g)).toHaveLength(1);
    expect(said.match(/building \.\.\./g)).toHaveLength(1);
    expect(existsSync(join(project, '.build/prepare.lock'))).toBe(false);
  }, 60_000);

  test('a Node that is too old is refused with a message', async () => {
    write('old.mjs', `Object.defineProperty(process.versions, 'node', { value: '18.20.4' });\n`);
    const refused = await start(
      process.execPath,
      ['--import', join(project, 'old.mjs'), join(project, 'tools/launch.mjs')],
      base,
    ).done;
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/needs Node\.js 20\.19 or newer; this is 18\.20\.4\n.*\n {2}hint: /);
  }, 60_000);
});
