/** Servers that other people's toolchains build, kept from one test run to the next. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../support/package-root.js';

const execute = promisify(execFile);

/** Outside of the checkout: builds take long, and a fresh clone may use them. */
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'swarmbench', 'third-party');

export type Built =
  | { readonly ok: true; readonly folder: string }
  /** Why it is not there, for the name of a test that is skipped. */
  | { readonly ok: false; readonly missing: string; readonly byChoice?: true };

interface Steps {
  /** The sources, for reading. */
  readonly source: string;
  /** What is built goes here. */
  readonly folder: string;
  /** Runs a program in the folder with the sources. */
  readonly run: (command: string, ...args: readonly string[]) => Promise<unknown>;
}

/**
 * @param source folder below `tests/third-party/`; what was built before is taken while no file in it has changed
 * @param needs the program that cannot be done without
 */
export async function built(source: string, needs: string, build: (steps: Steps) => Promise<void>): Promise<Built> {
  const { from, folder } = placesOf(source);
  if (existsSync(folder)) return { ok: true, folder };
  const unfinished = `${folder}.${process.pid}`;
  try {
    mkdirSync(unfinished, { recursive: true });
    const run = (command: string, ...args: readonly string[]): Promise<unknown> =>
      execute(command, args, { cwd: from, maxBuffer: 1e8, env: { ...process.env, NODE_OPTIONS: '' } });
    await build({ source: from, folder: unfinished, run });
    renameSync(unfinished, folder);
    return { ok: true, folder };
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    const { code, stderr = '', message } = error as { code?: unknown; stderr?: string; message: string };
    if (code === 'ENOENT') return { ok: false, missing: `${needs} is not installed` };
    const [reason = message] = stderr.trim().split('\n').slice(-1);
    return { ok: false, missing: `${needs} could not build it: ${reason}` };
  }
}

function isBuilt(source: string): boolean {
  return existsSync(placesOf(source).folder);
}

function placesOf(source: string): { readonly from: string; readonly folder: string } {
  const from = join(packageRoot, 'tests/third-party', source);
  return { from, folder: join(cache, `${source.replaceAll('/', '-')}-${hashOf(from)}`) };
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).toSorted())
    hash.update(file.slice(folder.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Both Python servers, in one virtual environment. */
export function pythonServers(): Promise<Built> {
  return built('sdk-servers/python', 'python3', async ({ source, folder, run }) => {
    await run('python3', '-m', 'venv', folder);
    const requirements = join(source, 'requirements.txt');
    await run(join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet', '--no-compile', '-r', requirements);
    cpSync(source, folder, { recursive: true });
  });
}

export function goServer(): Promise<Built> {
  return built('sdk-servers/go', 'go', async ({ folder, run }) => {
    await run('go', 'build', '-o', join(folder, 'server'), '.');
  });
}

/** A cold build compiles some 150 crates: over a minute of two cores. */
export async function rustServer(): Promise<Built> {
  if (!isBuilt('sdk-servers/rust') && process.env.SWARMBENCH_SLOW_BUILDS === undefined)
    return { ok: false, missing: 'its build takes over a minute: set SWARMBENCH_SLOW_BUILDS=1', byChoice: true };
  return built('sdk-servers/rust', 'cargo', async ({ folder, run }) => {
    const target = join(folder, 'target');
    await run('cargo', 'build', '--quiet', '--locked', '--target-dir', target);
    cpSync(join(target, 'debug/server'), join(folder, 'server'));
    rmSync(target, { recursive: true });
  });
}

export function javaServer(): Promise<Built> {
  return built('sdk-servers/java', 'mvn', async ({ folder, run }) => {
    const lib = join(folder, 'lib');
    await run('mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime');
    await run('javac', '-cp', join(lib, '*'), '-d', join(folder, 'classes'), 'Server.java');
  });
}

export function npmPackages(): Promise<Built> {
  return built('packages', 'npm', async ({ source, folder, run }) => {
    cpSync(source, folder, { recursive: true });
    await run('npm', 'ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund');
  });
}
