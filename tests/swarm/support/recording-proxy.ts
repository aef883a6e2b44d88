/** Stands between a Docker client and the engine and keeps what the client asks the engine to create. */
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Recorded {
  /** `services`, `networks`, `configs` or `secrets`. */
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RecordingProxy {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** What was created since the last call. */
  take(): readonly Recorded[];
  close(): Promise<void>;
}

export type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export async function startRecordingProxy(engine: EngineAddress): Promise<RecordingProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-proxy-'));
  const socket = join(folder, 'engine.sock');
  let recorded: Recorded[] = [];
  const server = createServer((incoming, answer) => {
    forward(incoming, answer, engine, (entry) => recorded.push(entry)).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    host: `unix://${socket}`,
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function forward(incoming: IncomingMessage, answer: ServerResponse, engine: EngineAddress, record: (entry: Recorded) => void): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const kind = /^\/v[\d.]+\/(services|networks|configs|secrets)\/create/.exec(incoming.url ?? '')?.[1];
  if (incoming.method === 'POST' && kind !== undefined) record({ kind, body: JSON.parse(body.toString()) as Recorded['body'] });
  const outgoing = request({ ...engine, method: incoming.method, path: incoming.url, headers: incoming.headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  outgoing.on('error', () => answer.destroy());
  outgoing.end(body);
}
