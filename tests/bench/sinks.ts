import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildRoot } from '../support/package-root.js';

export interface Sinks {
  readonly json: string;
  readonly sse: string;
  readonly websocket: string;
  close(): void;
}

/** Two sink servers, one for each form of answer, on one core; the one not asked takes nothing of it. */
export async function startSinks(core: number): Promise<Sinks> {
  const json = await startSink(core, 'json');
  const sse = await startSink(core, 'sse');
  return {
    json: json.url,
    sse: sse.url,
    websocket: json.websocket,
    close: () => {
      json.close();
      sse.close();
    },
  };
}

async function startSink(core: number, answers: 'json' | 'sse'): Promise<{ readonly url: string; readonly websocket: string; close(): void }> {
  const program = join(buildRoot, 'swarm', 'reference-server', 'sink.js');
  const child = spawn('taskset', ['-c', String(core), process.execPath, program, '--port', '0', '--stream-port', '0', '--answers', answers], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => {
      written += chunk.toString();
      if (written.includes('\n')) resolve(written);
    });
    child.once('error', reject).once('exit', (code) => reject(new Error(`the sink ended with ${code} before it listened`)));
  });

  const { listening } = JSON.parse(line) as { listening: { url: string; endpoints: { websocket: string } } };
  return { url: listening.url, websocket: listening.endpoints.websocket, close: () => void child.kill('SIGKILL') };
}
