import { request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { type ReferenceServer, type ReferenceServerOptions, startReferenceServer } from './reference-server.js';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function start(
  options: Partial<ReferenceServerOptions> = {},
): Promise<ReferenceServer & { readonly url: string }> {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    id: 'r1',
    era: 'both',
    answers: 'json',
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 100,
    seed: 1,
    replay: 1_000,
    ...options,
  });
  endings.push(() => server.close(500));
  return { ...server, url: `http://127.0.0.1:${server.port}/mcp` };
}

async function legacyClient(url: string): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport as Parameters<Client['connect']>[0]);
  endings.push(() => client.close());
  return { client, transport };
}

async function modernClient(url: string): Promise<ModernClient> {
  const client = new ModernClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(new ModernTransport(new URL(url)));
  endings.push(() => client.close());
  return client;
}

const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
function post(url: string, body: unknown, more: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) });
}
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
};

async function openSession(url: string): Promise<string> {
  const answer = await post(url, initialize);
  await answer.text();
  return answer.headers.get('mcp-session-id') ?? '';
}

describe.each(['json', 'sse'] as const)('SDK clients, answers as %s', (answers) => {
  test.each(['session era', 'stateless era'] as const)(
    '%s: tools, resources and prompts give the documented answers',
    async (era) => {
      const { url, stats } = await start({ answers });
      const client = era === 'session era' ? (await legacyClient(url)).client : await modernClient(url);
      const replica = { _meta: expect.objectContaining({ 'swarmbench/replica': 'r1' }) };
      expect(await client.callTool({ name: 'echo', arguments: { message: 'hi "isError":true' } })).toMatchObject({
        content: [{ text: 'hi "isError":true' }],
        ...replica,
      });
      expect(await client.callTool({ name: 'payload', arguments: { bytes: 1000 } })).toMatchObject({
        content: [{ text: expect.stringMatching(/^.{1000}$/) }],
      });
      expect(await client.callTool({ name: 'fail', arguments: { rate: 1 } })).toMatchObject({
        isError: true,
        ...replica,
      });
      expect(await client.callTool({ name: 'fail', arguments: { rate: 0 } })).not.toHaveProperty('isError', true);
      expect(await client.callTool({ name: 'echo', arguments: {} })).toMatchObject({ isError: true });
      await expect(client.callTool({ name: 'nothing', arguments: {} })).rejects.toMatchObject({ code: -32602 });
      expect(
        (await client.listTools()).tools.find((tool) => tool.name === 'reset_counters')?.annotations?.destructiveHint,
      ).toBe(true);
      expect(await client.readResource({ uri: 'bench://static/1k' })).toMatchObject({
        contents: [{ text: expect.stringMatching(/^.{1024}$/) }],
        ...replica,
      });
      await expect(client.readResource({ uri: 'bench://none' })).rejects.toMatchObject({ code: -32602 });
      expect(await client.getPrompt({ name: 'greeting', arguments: { name: 'Ada' } })).toMatchObject({
        messages: [{ content: { text: 'Hello, Ada!' } }],
        ...replica,
      });
      expect(stats().tools).toEqual({
        echo: { ok: 1, tool_error: 1 },
        payload: { ok: 1 },
        fail: { tool_error: 1, ok: 1 },
        '(unknown)': { 'rpc_-32602': 1 },
      });
      expect(stats().requests).toMatchObject({
        'resources/read': { ok: 1, 'rpc_-32602': 1 },
        'prompts/get': { ok: 1 },
      });
    },
  );

  test.each(['session era', 'stateless era'] as const)(
    '%s: a call with a progress token gets its progress',
    async (era) => {
      const { url } = await start({ answers });
      const client = era === 'session era' ? (await legacyClient(url)).client : await modernClient(url);
      const seen: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
      const call = { name: 'progress', arguments: { steps: 3, delayMs: 1 } };
      if (client instanceof ModernClient) await client.callTool(call, { onprogress });
      else await client.callTool(call, undefined, { onprogress });
      expect(seen).toEqual([1, 2, 3]);
    },
  );
});

test('without sessions, a listening stream gets the updates of its topics', async () => {
  const { url } = await start();
  const client = await modernClient(url);
  const updated = new Promise<string>((resolve) =>
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => resolve(params.uri)),
  );
  const subscription = await client.listen({ resourceSubscriptions: ['bench://topic/news'] });
  await client.callTool({ name: 'publish', arguments: { topic: 'other' } });
  await client.callTool({ name: 'publish', arguments: { topic: 'news' } });
  expect(await updated).toBe('bench://topic/news');
  await subscription.close();
});

describe('sessions', () => {
  test('a subscriber gets the updates of its topic and of no other', async () => {
    const { url } = await start();
    const { client } = await legacyClient(url);
    const updated = new Promise<string>((resolve) =>
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => resolve(params.uri)),
    );
    await client.subscribeResource({ uri: 'bench://topic/news' });
    await client.callTool({ name: 'publish', arguments: { topic: 'other', message: 'a' } });
    await client.callTool({ name: 'publish', arguments: { topic: 'news', message: 'b' } });
    expect(await updated).toBe('bench://topic/news');
    expect(await client.readResource({ uri: 'bench://topic/news' })).toMatchObject({ contents: [{ text: '1 b' }] });
  });

  test('a deleted session is gone, and counted once', async () => {
    const { url, stats } = await start();
    const { transport } = await legacyClient(url);
    const id = transport.sessionId ?? '';
    await transport.terminateSession();
    const after = await post(url, { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': id });
    expect(after.status).toBe(404);
    expect(stats().sessions).toEqual({ active: 0, opened: 1, closed: 1, expired: 0 });
  });

  test('an unused session expires, one in use does not', async () => {
    const { url, stats } = await start({ sessionTtlMs: 500 });
    const used = await openSession(url);
    const unused = await openSession(url);
    const slow = await post(
      url,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'sleep', arguments: { ms: 1_500 } } },
      { 'mcp-session-id': used },
    );
    expect(slow.status).toBe(200);
    expect((await post(url, { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': unused })).status).toBe(404);
    expect(stats().sessions).toMatchObject({ opened: 2, closed: 0, expired: 1 });
  });

  test('no more sessions are opened than the limit', async () => {
    const { url } = await start({ maxSessions: 1 });
    await openSession(url);
    const refused = await post(url, initialize);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  });

  test('without sessions every request stands alone', async () => {
    const { url } = await start({ sessions: 'stateless' });
    expect(await openSession(url)).toBe('');
    const answer = await post(url, {
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'echo', arguments: { message: 'x' } },
    });
    expect(await answer.json()).toMatchObject({ id: 9, result: { content: [{ text: 'x' }] } });
    expect((await fetch(url, { headers })).status).toBe(405);
  });
});

describe('what is refused', () => {
  test.each([
    ['no session id', { jsonrpc: '2.0', id: 1, method: 'ping' }, {}, 400],
    ['an unknown session', { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': 'x' }, 404],
    [
      'a modern header without the envelope',
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
      400,
    ],
  ])('%s', async (_name, body, more, status) => {
    const { url } = await start();
    const answer = await post(url, body, more);
    expect([answer.status, answer.headers.get('x-swarmbench-replica')]).toEqual([status, 'r1']);
  });

  test('broken JSON, and a body that is too large', async () => {
    const { url } = await start();
    expect((await fetch(url, { method: 'POST', headers, body: '{' })).status).toBe(400);
    expect((await fetch(url, { method: 'POST', headers, body: `"${'x'.repeat(5 * 1024 * 1024)}"` })).status).toBe(413);
  });

  test('the other era, when only one is served', async () => {
    const legacyOnly = await start({ era: 'legacy' });
    await expect(modernClient(legacyOnly.url)).rejects.toThrow();
    const modernOnly = await start({ era: 'modern' });
    expect((await post(modernOnly.url, initialize)).status).toBe(400);
  });
});

describe('an empty result stays empty', () => {
  test.each(['ping', 'resources/subscribe', 'resources/unsubscribe'])(
    '%s; its HTTP answer names the replica',
    async (method) => {
      const { url } = await start();
      const session = await openSession(url);
      const answer = await post(
        url,
        { jsonrpc: '2.0', id: 1, method, ...(method === 'ping' ? {} : { params: { uri: 'bench://topic/news' } }) },
        { 'mcp-session-id': session },
      );
      expect([answer.headers.get('x-swarmbench-replica'), await answer.json()]).toEqual([
        'r1',
        { jsonrpc: '2.0', id: 1, result: {} },
      ]);
    },
  );
});

describe('a request with the host name of another server', () => {
  const raw = (
    port: number,
    headers: Record<string, string>,
    path = '/mcp',
  ): Promise<{ readonly status: number | undefined; readonly body: string }> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(initialize);
      const one = request(
        {
          host: '127.0.0.1',
          port,
          path,
          method: path === '/mcp' ? 'POST' : 'GET',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        },
        (answer) => {
          let text = '';
          answer
            .setEncoding('utf8')
            .on('data', (chunk: string) => (text += chunk))
            .on('end', () => resolve({ status: answer.statusCode, body: text }));
        },
      );
      one.on('error', reject).end(path === '/mcp' ? body : undefined);
    });

  test.each(['/mcp', '/sse', '/stats', '/metrics'])('is refused at %s, and opens nothing', async (path) => {
    const { port, stats } = await start();
    const { status, body } = await raw(port, { host: 'evil.example.com' }, path);
    expect([status, body]).toEqual([403, expect.stringContaining('--allowed-host')]);
    expect((await raw(port, { host: `localhost:${port}`, origin: 'http://evil.example.com' }, path)).status).toBe(403);
    expect(stats().sessions.opened).toBe(0);
  });

  test('is answered where that name is allowed', async () => {
    const { port } = await start({ allowedHosts: ['bench.test'] });
    expect((await raw(port, { host: 'bench.test' })).status).toBe(200);
    expect((await raw(port, { host: `localhost:${port}`, origin: `http://localhost:${port}` })).status).toBe(200);
  });
});

test.each(['session era', 'stateless era'] as const)(
  'a large catalogue comes in pages, and its tools answer (%s)',
  async (era) => {
    const made = { prefix: 'r1', count: 5, bytes: 900, schemaDepth: 3, answerBytes: 50 };
    const { url } = await start({ catalogue: { made, pageSize: 2 } });
    const client = era === 'session era' ? (await legacyClient(url)).client : await modernClient(url);
    const listed: { readonly name: string }[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      listed.push(...page.tools);
      sizes.push(page.tools.length);
      cursor = page.nextCursor;
    } while (cursor !== undefined && sizes.length < 10);
    // The second SDK collects all pages by itself.
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5);
    expect(listed.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5].map((number) => `r1_tool_${number}`));
    expect(Buffer.byteLength(JSON.stringify(listed[0]))).toBeGreaterThanOrEqual(890);
    const given = { message: 'hi', options: { inner: { inner: { value: 'x' } } } };
    const { content } = (await client.callTool({ name: 'r1_tool_3', arguments: given })) as {
      readonly content: readonly { readonly text: string }[];
    };
    expect(content[0]?.text).toMatch(/^hi/);
    expect(content[0]?.text.length).toBe(50);
    const tooDeep = { options: { inner: { inner: { inner: {} } } } };
    expect(await client.callTool({ name: 'r1_tool_3', arguments: tooDeep })).toMatchObject({ isError: true });
  },
);

test('a page that is not there is refused', async () => {
  const { url } = await start({ sessions: 'stateless' });
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: '99' } };
  expect(await (await post(url, body)).json()).toMatchObject({ error: { code: -32602 } });
});

test('a delayed tool answers later, the others do not', async () => {
  const { url } = await start({ sessions: 'stateless', catalogue: { delays: new Map([['echo', 150]]) } });
  const call = (name: string, args: object): Promise<Response> =>
    post(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
  const order: string[] = [];
  await Promise.all([
    call('echo', { message: 'x' }).then(() => order.push('echo')),
    call('payload', { bytes: 1 }).then(() => order.push('payload')),
  ]);
  expect(order).toEqual(['payload', 'echo']);
});

describe('counting', () => {
  test('an exchange whose client goes away is aborted, not answered', async () => {
    const { url, stats } = await start();
    const session = await openSession(url);
    const leaving = new AbortController();
    const call = fetch(url, {
      method: 'POST',
      headers: { ...headers, 'mcp-session-id': session },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'sleep', arguments: { ms: 5_000 } },
      }),
      signal: leaving.signal,
    });
    setTimeout(() => leaving.abort(), 50);
    await expect(call).rejects.toThrow();
    while (stats().aborted === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(stats()).toMatchObject({ answered: 1, aborted: 1, tools: { sleep: { aborted: 1 } } });
  });

  test('stats and metrics agree, and reset_counters resets them', async () => {
    const { url, stats } = await start();
    const { client } = await legacyClient(url);
    for (let index = 0; index < 5; index += 1) await client.callTool({ name: 'echo', arguments: { message: 'x' } });
    expect(stats().requests['tools/call']).toEqual({ ok: 5 });
    const metrics = await (await fetch(new URL('/metrics', url))).text();
    expect(metrics).toContain('mcp_server_requests_total{method="tools/call",outcome="ok"} 5');
    expect(metrics).toContain('mcp_server_request_duration_seconds_count{method="tools/call",outcome="ok"} 5');
    expect(metrics).toMatch(/^mcp_server_sessions_active 1$/m);
    expect(metrics).toMatch(/^mcp_server_connections_active [1-9]/m);
    await client.callTool({ name: 'reset_counters', arguments: {} });
    expect(stats().requests).toEqual({ 'tools/call': { ok: 1 } });
  });

  test('health and readiness differ while the server closes', async () => {
    const { url } = await start();
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    expect((await fetch(new URL('/readyz', url))).status).toBe(200);
    expect((await fetch(new URL('/elsewhere', url))).status).toBe(404);
  });
});
