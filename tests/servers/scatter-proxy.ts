import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestEnd } from '../support/test-end.js';

/** A request that came through, in order of arrival. */
export interface Passed {
  /** Index of the server it was sent to. */
  readonly server: number;
  /** Identifies the client: its session, or its connection where there is none. */
  readonly client: string;
  readonly era: 'legacy' | 'modern';
  readonly verb: string;
  readonly method: string;
  readonly status: number;
}

export interface ScatterProxy {
  readonly url: string;
  readonly passed: readonly Passed[];
}

/**
 * Which server a request goes to.
 * @param home the server that opened its session
 * @param nth request of its client, from 0
 */
export type Scatter = (request: {
  readonly era: 'legacy' | 'modern';
  readonly method: string;
  readonly client: string;
  readonly home: number;
  readonly nth: number;
}) => number;

/**
 * A gateway without stickiness: a small reverse proxy that sends requests wherever `scatter` says. Ends with the test.
 */
export async function startScatterProxy(servers: readonly string[], scatter: Scatter): Promise<ScatterProxy> {
  const passed: Passed[] = [];
  const homes = new Map<string, number>();
  const counts = new Map<string, number>();
  let opened = 0;
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await read(incoming);
    const session = incoming.headers['mcp-session-id'];
    const era = incoming.headers['mcp-protocol-version'] === '2026-07-28' ? 'modern' : 'legacy';
    const method = methodOf(body);
    const known = typeof session === 'string' ? session : withoutSession(era, incoming);
    const nth = known === undefined ? 0 : (counts.get(known) ?? 0);
    if (known !== undefined) counts.set(known, nth + 1);
    const server =
      known === undefined
        ? opened++ % servers.length
        : scatter({ era, method, client: known, home: homes.get(known) ?? 0, nth });
    const url = new URL(servers[server] ?? '');
    const forward = ask(
      { host: url.hostname, port: url.port, path: url.pathname, method: incoming.method, headers: incoming.headers },
      (answer) => {
        const given = answer.headers['mcp-session-id'];
        const client = known ?? (typeof given === 'string' ? given : 'none');
        if (known === undefined) homes.set(client, server);
        passed.push({ server, client, era, verb: incoming.method ?? '', method, status: answer.statusCode ?? 0 });
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forward.on('error', () => outgoing.destroy());
    forward.end(body);
  };
  const proxy = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/mcp`, passed };
}

/** What stands for a session where the era has none; undefined: the session is about to be opened. */
function withoutSession(era: 'legacy' | 'modern', { socket }: IncomingMessage): string | undefined {
  return era === 'modern' ? `port ${socket.remotePort}` : undefined;
}

async function read(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function methodOf(body: Buffer): string {
  if (body.length === 0) return '';
  const message = JSON.parse(body.toString('utf8')) as { readonly method?: string };
  return message.method ?? '';
}
