import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRoot } from '../support/package-root.js';

/** Where contestants find a server, all on one core. */
export interface Sinks {
  readonly json: string;
  readonly sse: string;
  readonly websocket: string;
  readonly tcp: string;
  /** HTTP+SSE (2024-11-05): of the reference server, for the sink does not speak it. */
  readonly httpSse: string;
  /** A command as JSON: each session starts a server of its own. */
  readonly stdio: string;
  close(): void;
}

/** Two sink servers, one for each form of answer, and a reference server; those not asked take nothing of the core. */
export async function startSinks(core: number): Promise<Sinks> {
  const json = await startServer(core, 'sink.js', ['--stream-port', '0', '--answers', 'json']);
  const sse = await startServer(core, 'sink.js', ['--answers', 'sse']);
  const reference = await startServer(core, 'main.js', []);
  return {
    json: json.url,
    sse: sse.url,
    websocket: json.endpoints['websocket'] ?? '',
    tcp: json.endpoints['tcp'] ?? '',
    httpSse: reference.endpoints['sse'] ?? '',
    stdio: JSON.stringify(['taskset', '-c', String(core), process.execPath, fileURLToPath(new URL('stdio-sink.js', import.meta.url))]),
    close: () => {
      for (const server of [json, sse, reference]) server.close();
    },
  };
}

interface Started {
  readonly url: string;
  readonly endpoints: Readonly<Record<string, string>>;
  close(): void;
}

async function startServer(core: number, program: string, args: readonly string[]): Promise<Started> {
  const file = join(buildRoot, 'swarm', 'reference-server', program);
  const child = spawn('taskset', ['-c', String(core), process.execPath, file, '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      if (written.includes('\n')) resolve(written);
    });
    child.once('error', reject).once('exit', (code) => reject(new Error(`${program} ended with ${code} before it listened`)));
  });
  const { listening } = JSON.parse(line.slice(0, line.indexOf('\n'))) as { readonly listening: Omit<Started, 'close'> };
  return { url: listening.url, endpoints: listening.endpoints, close: () => void child.kill('SIGKILL') };
}
