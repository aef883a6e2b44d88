/** A gateway in front of several servers: it lists all their tools, with the name of the server before each. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { onTestEnd } from '../support/test-end.js';

interface Listed {
  readonly tool: Tool;
  readonly client: Client;
  readonly ownName: string;
}

interface Call {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown> };
}

export interface AggregatingGateway {
  readonly url: string;
  /** Where it takes servers: POST with { name, url }, or a list of them. */
  readonly servers: string;
  /** What it was told, in order. */
  readonly told: readonly {
    readonly name: string;
    readonly url: string;
    readonly key: string | undefined;
    readonly method: string | undefined;
  }[];
  /** The tools that it lists now. */
  readonly listed: () => readonly Tool[];
  /** How many pages the list of each server had. */
  readonly pages: ReadonlyMap<string, number>;
  /** The length of each answer of a tool, as JSON. */
  readonly answers: readonly number[];
}

/**
 * Ends with the test.
 * @param forgets it takes this server, and never lists its tools
 */
export async function startAggregatingGateway(forgets?: string): Promise<AggregatingGateway> {
  const tools = new Map<string, Listed>();
  const told: AggregatingGateway['told'][number][] = [];
  const pages = new Map<string, number>();
  const answers: number[] = [];
  const clients: Client[] = [];
  const add = async (name: string, url: string): Promise<void> => {
    const client = new Client({ name: 'gateway', version: '1' });
    clients.push(client);
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      for (const tool of page.tools) {
        const listed = { tool: { ...tool, name: `${name}__${tool.name}` }, client, ownName: tool.name };
        if (name !== forgets) tools.set(listed.tool.name, listed);
      }
      pages.set(name, (pages.get(name) ?? 0) + 1);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  };
  const answer = async ({ method, params }: Call): Promise<object | undefined> => {
    if (method === 'initialize')
      return {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'aggregating', version: '1' },
      };
    if (method === 'tools/list') return { tools: [...tools.values()].map(({ tool }) => tool) };
    const listed = tools.get(params?.name ?? '');
    if (method !== 'tools/call' || listed === undefined) return undefined;
    const result = await listed.client.callTool({ name: listed.ownName, arguments: params?.arguments ?? {} });
    answers.push(JSON.stringify(result).length);
    return result;
  };
  const server = createServer((incoming, outgoing) => {
    const serve = async (): Promise<void> => {
      const text = await read(incoming);
      const send = (status: number, body: string): void =>
        void outgoing.writeHead(status, { 'content-type': 'application/json' }).end(body);
      const { method } = incoming;
      if (method !== 'POST' && method !== 'PUT') return send(405, '');
      const body: unknown = JSON.parse(text);
      if (incoming.url?.startsWith('/servers') === true) {
        const key = incoming.headers['x-api-key'];
        const all = [body].flat() as { name: string; url: string }[];
        told.push(
          ...all.map(({ name, url }) => ({ name, url, key: key === undefined ? undefined : String(key), method })),
        );
        if (key === 'wrong') return send(403, '{"detail":"this key may not add servers"}');
        await Promise.all(all.map(({ name, url }) => add(name, url)));
        return send(201, '{}');
      }
      const call = body as Call;
      if (call.id === undefined) return send(202, '');
      const result = await answer(call);
      const error = { code: -32601, message: `${call.method} is not known` };
      send(200, JSON.stringify({ jsonrpc: '2.0', id: call.id, ...(result === undefined ? { error } : { result }) }));
    };
    void serve().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestEnd(async () => {
    await Promise.all(clients.map((client) => client.close().catch(() => undefined)));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/mcp`,
    servers: `${origin}/servers`,
    told,
    listed: () => [...tools.values()].map(({ tool }) => tool),
    pages,
    answers,
  };
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
