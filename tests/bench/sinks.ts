import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRoot, packageRoot } from '../support/package-root.js';

/** Where contestants find a server, all on one core. */
export interface Sinks {
  readonly json: string;
  readonly sse: string;
  readonly websocket: string;
  readonly tcp: string;
  /** HTTP+SSE (2024-11-05): of the reference server, which the fast sink does not speak. */
  readonly httpSse: string;
  /** A command as JSON: each session starts a server of its own. */
  readonly stdio: string;
  close(): void;
}

/** A fast sink for each form of answer, and a reference server; those not asked take nothing of the core. */
export async function startSinks(core: number): Promise<Sinks> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-bench-'));
  const started: Started[] = [];
  const close = (): void => {
    for (const server of started) server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (command: readonly string[]): Promise<Started> => {
    const server = await startServer(core, command);
    started.push(server);
    return server;
  };
  try {
    const fastSink = compileFastSink(folder);
    const json = await start([fastSink, 'json']);
    const sse = await start([fastSink, 'sse']);
    const reference = await start([
      process.execPath,
      join(buildRoot, 'swarm', 'reference-server', 'main.js'),
      '--port',
      '0',
    ]);
    return {
      json: json.url,
      sse: sse.url,
      websocket: json.endpoints.websocket ?? '',
      tcp: json.endpoints.tcp ?? '',
      httpSse: reference.endpoints.sse ?? '',
      stdio: JSON.stringify([
        'taskset',
        '-c',
        String(core),
        process.execPath,
        fileURLToPath(new URL('stdio-sink.js', import.meta.url)),
      ]),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** @returns the program @throws Error with the compiler's output */
function compileFastSink(folder: string): string {
  const program = join(folder, 'fast-sink');
  const folderOfSources = join(packageRoot, 'tests', 'bench', 'fast-sink');
  const sources = ['fast-sink.c', 'answers.c', 'accept-key.c'].map((name) => join(folderOfSources, name));
  const { status, stderr, error } = spawnSync('cc', ['-std=c11', '-O2', '-o', program, ...sources], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`cc could not compile ${folderOfSources}: ${error?.message ?? stderr}`);
  return program;
}

interface Started {
  readonly url: string;
  readonly endpoints: Readonly<Record<string, string>>;
  close(): void;
}

async function startServer(core: number, command: readonly string[]): Promise<Started> {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      if (written.includes('\n')) resolve(written);
    });
    child
      .once('error', reject)
      .once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code} before it listened`)));
  });
  const { listening } = JSON.parse(line.slice(0, line.indexOf('\n'))) as { readonly listening: Omit<Started, 'close'> };
  return { url: listening.url, endpoints: listening.endpoints, close: () => void child.kill('SIGKILL') };
}
