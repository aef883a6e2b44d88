import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { negotiate } from '../../client-sim/preflight/negotiate.js';
import { startReferenceServer } from '../../swarm/reference-server/reference-server.js';
import { ChannelProbe, LEGACY, MODERN } from '../support/transport/channel-probe.js';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Forwards everything, but cuts each piece that the server sends at a byte that the test chooses. */
async function cuttingProxy(port: number): Promise<{ readonly url: string; cutAt: number; longest: number }> {
  const proxy = { url: '', cutAt: 0, longest: 0 };
  const server = net.createServer((client) => {
    const upstream = net.connect({ port, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    let turn = Promise.resolve();
    upstream.on('data', (bytes: Buffer) => {
      proxy.longest = Math.max(proxy.longest, bytes.length);
      const at = Math.min(proxy.cutAt, bytes.length);
      turn = turn.then(async () => {
        client.write(bytes.subarray(0, at));
        await new Promise((resolve) => setImmediate(resolve));
        client.write(bytes.subarray(at));
      });
    });
    client.on('data', (bytes) => upstream.write(bytes));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    endings.push(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => server.close());
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return proxy;
}

type Call = (name: string, args: Record<string, unknown>) => Promise<unknown>;

/** The outcome of a tool call, described independently of the client. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return { error: (error as { code?: unknown }).code };
  }
}

async function sdkCall(url: string, era: 'legacy' | 'modern'): Promise<Call> {
  const client =
    era === 'legacy'
      ? new Client({ name: 'test', version: '1' })
      : new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  if (client instanceof ModernClient) await client.connect(new ModernTransport(new URL(url)));
  else await client.connect(new StreamableHTTPClientTransport(new URL(url)) as Parameters<Client['connect']>[0]);
  endings.push(() => client.close());
  // The stateless era's client removes `resultType` from results.
  return (name, args) => outcome(async () => withoutResultType(await client.callTool({ name, arguments: args })));
}

async function wireCall(url: string, era: 'legacy' | 'modern'): Promise<Call> {
  const found = await negotiate({ url, headers: {} }, era);
  expect(found).toMatchObject({ ok: true });
  endings.push(() => found.session.close());
  return async (name, args) => {
    const answer = await found.session.request('tools/call', { name, arguments: args });
    if (answer.result !== undefined) return withoutResultType(answer.result);
    const { category = '', sample } = answer.failure ?? {};
    if (category !== 'tool_error') return { error: Number(category.replace('rpc_', '')) };
    const message = JSON.parse(/\{"[^]*\}/.exec(sample?.response ?? '')?.[0] ?? '{}') as { result: object };
    return withoutResultType(message.result);
  };
}

function withoutResultType(result: object): object {
  return Object.fromEntries(Object.entries(result).filter(([key]) => key !== 'resultType'));
}

const calls: readonly (readonly [string, Record<string, unknown>])[] = [
  ['echo', { message: 'größe € 😀 "isError":true \\ \n' }],
  ['payload', { bytes: 300 }],
  ['fail', { rate: 1 }],
  ['nothing', {}],
];

describe.each(['json', 'sse'] as const)('answers as %s', (answers) => {
  test.each(['legacy', 'modern'] as const)(
    'the official client of the %s era and ours read the same, wherever the answer is cut',
    async (era) => {
      const server = await startReferenceServer({
        host: '127.0.0.1',
        port: 0,
        id: 'r1',
        era: 'both',
        answers,
        sessions: 'stateful',
        sessionTtlMs: 60_000,
        maxSessions: 100,
        seed: 1,
        replay: 1_000,
      });
      endings.push(() => server.close(500));
      const proxy = await cuttingProxy(server.port);
      const [theirs, ours] = [await sdkCall(proxy.url, era), await wireCall(proxy.url, era)];
      const load = await new ChannelProbe(proxy.url, {
        pinned: era === 'legacy' ? LEGACY : MODERN,
        pipeline: 4,
      }).open();
      for (const [name, args] of calls)
        expect([name, await ours(name, args)]).toEqual([name, await theirs(name, args)]);
      const [[name, args]] = calls as [readonly [string, Record<string, unknown>]];
      proxy.longest = 0;
      const expected = await theirs(name, args);
      for (proxy.cutAt = 0; proxy.cutAt < proxy.longest; proxy.cutAt++) {
        expect([proxy.cutAt, await ours(name, args)]).toEqual([proxy.cutAt, expected]);
        if (proxy.cutAt % 32 === 0) expect([proxy.cutAt, await theirs(name, args)]).toEqual([proxy.cutAt, expected]);
        if (proxy.cutAt % 16 === 0)
          expect([proxy.cutAt, await load.call(4)]).toEqual([
            proxy.cutAt,
            ['correct', 'correct', 'correct', 'correct'],
          ]);
      }
    },
    240_000,
  );
});
