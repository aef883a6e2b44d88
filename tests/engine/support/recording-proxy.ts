/** Stands between a Docker client and the engine and keeps what the client asks the engine to create. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Recorded {
  /** `services`, `networks`, `configs` or `secrets`. */
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RecordedAuth {
  readonly service: string;
  readonly did: 'create' | 'update';
  /** The decoded `X-Registry-Auth`; undefined when none came. */
  readonly auth: unknown;
}

export interface RecordingProxy {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** What was created since the last call. */
  take(): readonly Recorded[];
  /** What services were given for registries since the last call, sorted. */
  takeAuths(): readonly RecordedAuth[];
  close(): Promise<void>;
}

type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export async function startRecordingProxy(engine: EngineAddress): Promise<RecordingProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-proxy-'));
  const socket = join(folder, 'engine.sock');
  let recorded: Recorded[] = [];
  let auths: RecordedAuth[] = [];
  const server = createServer((incoming, answer) => {
    forward(
      incoming,
      answer,
      engine,
      (entry) => recorded.push(entry),
      (entry) => auths.push(entry),
    ).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    host: `unix://${socket}`,
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    takeAuths: () => {
      const taken = auths.toSorted((a, b) => (`${a.did} ${a.service}` < `${b.did} ${b.service}` ? -1 : 1));
      auths = [];
      return taken;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  engine: EngineAddress,
  record: (entry: Recorded) => void,
  recordAuth: (entry: RecordedAuth) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const kind = /^\/v[\d.]+\/(services|networks|configs|secrets)\/create/.exec(incoming.url ?? '')?.[1];
  if (incoming.method === 'POST' && kind !== undefined)
    record({ kind, body: JSON.parse(body.toString()) as Recorded['body'] });
  const did = /^\/(?:v[\d.]+\/)?services\/(?:create|[^/]+\/(update))/.exec(incoming.url ?? '');
  if (incoming.method === 'POST' && did !== null) {
    const header = incoming.headers['x-registry-auth'];
    const auth: unknown =
      typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64url').toString()) : undefined;
    recordAuth({
      service: (JSON.parse(body.toString()) as { readonly Name: string }).Name,
      did: did[1] === undefined ? 'create' : 'update',
      auth,
    });
  }
  const outgoing = request(
    { ...engine, method: incoming.method, path: incoming.url, headers: incoming.headers },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    },
  );
  outgoing.on('error', () => answer.destroy());
  outgoing.end(body);
}
