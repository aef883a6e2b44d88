import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { WebSocket } from 'ws';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { until } from '../../../tests/support/until.js';
import { type ReferenceServer, startReferenceServer } from '../reference-server.js';
import { type SinkServer, startSink } from '../sink/sink-server.js';

// The SDK's WebSocket client takes the browser's, which Node 20 does not have.
const before: unknown = Reflect.get(globalThis, 'WebSocket');
afterEach(() => void Reflect.set(globalThis, 'WebSocket', before));

async function reference(era: 'both' | 'legacy' | 'modern' = 'both'): Promise<ReferenceServer> {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    streamPort: 0,
    id: 'r1',
    era,
    answers: 'json',
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 10,
    seed: 1,
  });
  onTestEnd(() => server.close(0));
  return server;
}

async function sink(): Promise<SinkServer> {
  const server = await startSink({ host: '127.0.0.1', port: 0, streamPort: 0, answers: 'json' });
  onTestEnd(() => server.close());
  return server;
}

interface TestClient {
  send(message: object): void;
  readonly received: readonly Record<string, unknown>[];
  readonly ended: boolean;
  end(): void;
}

async function connectWebSocket(port: number): Promise<TestClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mcp`, 'mcp');
  const received: Record<string, unknown>[] = [];
  let ended = false;
  socket.on('message', (data) => received.push(JSON.parse(String(data)) as Record<string, unknown>));
  socket.on('close', () => (ended = true));
  socket.on('error', () => undefined);
  onTestEnd(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    received,
    get ended() {
      return ended;
    },
    end: () => socket.close(),
  };
}

async function connectLines(port: number): Promise<TestClient> {
  const socket: Socket = connect(port, '127.0.0.1');
  const received: Record<string, unknown>[] = [];
  let ended = false;
  let rest = '';
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) received.push(JSON.parse(line) as Record<string, unknown>);
  });
  socket.on('close', () => (ended = true));
  onTestEnd(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    received,
    get ended() {
      return ended;
    },
    end: () => void socket.end(),
  };
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
};
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
function call(id: number, name: string, args: object, meta?: object): object {
  return {
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
  };
}

describe.each<[string, (port: number) => Promise<TestClient>]>([
  ['websocket', connectWebSocket],
  ['lines', connectLines],
])('over %s the reference server', (_what, connectClient) => {
  test('serves the session era, signs its results, and counts what it answered', async () => {
    const server = await reference();
    const client = await connectClient(server.streamPort ?? 0);
    client.send(INITIALIZE);
    await until('the answer to initialize', () => client.received.length === 1);
    client.send(INITIALIZED);
    client.send(call(2, 'echo', { message: 'größe' }));
    client.send(call(3, 'fail', {}));
    await until('both answers', () => client.received.length === 3);
    expect(client.received[0]).toMatchObject({
      id: 1,
      result: { protocolVersion: '2025-11-25', _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(client.received.find(({ id }) => id === 2)).toMatchObject({
      result: { content: [{ text: 'größe' }], _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(server.stats()).toMatchObject({
      answered: 4,
      tools: { echo: { ok: 1 } },
      sessions: { active: 1, opened: 1 },
      connections: { active: 1, opened: 1 },
    });
    client.end();
    await until('the session to end', () => server.stats().sessions.closed === 1);
    expect(server.stats()).toMatchObject({ sessions: { active: 0 }, connections: { active: 0 } });
  });

  test('serves the stateless era, and names it in server/discover', async () => {
    const server = await reference();
    const client = await connectClient(server.streamPort ?? 0);
    client.send({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } });
    client.send(call(2, 'echo', { message: 'hi' }, META));
    await until('both answers', () => client.received.length === 2);
    expect(client.received.find(({ id }) => id === 1)).toMatchObject({
      result: { supportedVersions: expect.arrayContaining(['2026-07-28']) },
    });
    expect(client.received.find(({ id }) => id === 2)).toMatchObject({
      result: { resultType: 'complete', content: [{ text: 'hi' }], _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(server.stats().sessions.opened).toBe(0);
  });

  test('serves only one era when told to', async () => {
    const modern = await connectClient((await reference('modern')).streamPort ?? 0);
    modern.send(INITIALIZE);
    const legacy = await connectClient((await reference('legacy')).streamPort ?? 0);
    legacy.send({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } });
    await until('both refusals', () => modern.received.length === 1 && legacy.received.length === 1);
    expect(modern.received[0]).toHaveProperty('error');
    expect(legacy.received[0]).toMatchObject({ error: { code: -32601 } });
  });

  test('sends updates to subscribers, and aborts the calls of a client that leaves', async () => {
    const server = await reference();
    const client = await connectClient(server.streamPort ?? 0);
    client.send(INITIALIZE);
    client.send(INITIALIZED);
    client.send({ jsonrpc: '2.0', id: 2, method: 'resources/subscribe', params: { uri: 'bench://topic/a' } });
    await until('the subscription', () => client.received.length === 2);
    client.send(call(3, 'publish', { topic: 'a', message: 'news' }));
    await until('the update', () => client.received.some(({ method }) => method === 'notifications/resources/updated'));
    client.send(call(4, 'sleep', { ms: 5000 }));
    await until('the call to begin', () => server.stats().requests['tools/call'] !== undefined);
    client.end();
    await until('it to be counted as aborted', () => server.stats().aborted === 1);
  });
});

test('a client that sends a line that is no JSON gets a parse error', async () => {
  const server = await reference();
  const socket = connect(server.streamPort ?? 0, '127.0.0.1');
  onTestEnd(() => socket.destroy());
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  socket.write('hello\n');
  await until('the answer', () => received.includes('\n'));
  expect(JSON.parse(received)).toMatchObject({ id: null, error: { code: -32700 } });
});

test('the official client of SDK 1.x can use WebSocket', async () => {
  Reflect.set(globalThis, 'WebSocket', WebSocket);
  const server = await reference();
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new WebSocketClientTransport(new URL(`ws://127.0.0.1:${server.streamPort}/mcp`)));
  onTestEnd(() => client.close());
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
  expect(await client.callTool({ name: 'echo', arguments: { message: 'x' } })).toMatchObject({
    content: [{ text: 'x' }],
  });
});

describe.each<[string, (port: number) => Promise<TestClient>]>([
  ['websocket', connectWebSocket],
  ['lines', connectLines],
])('over %s the sink', (_what, connectClient) => {
  test('answers both eras, and counts its answers', async () => {
    const server = await sink();
    const legacy = await connectClient(server.streamPort ?? 0);
    const modern = await connectClient(server.streamPort ?? 0);
    legacy.send(INITIALIZE);
    legacy.send(INITIALIZED);
    legacy.send(call(2, 'echo', { message: 'x'.repeat(100_000) }));
    modern.send(call(1_000_000_000, 'echo', {}, META));
    await until('three answers', () => legacy.received.length === 2 && modern.received.length === 1);
    expect(legacy.received.map(({ id }) => id)).toEqual([1, 2]);
    expect(legacy.received[1]).not.toHaveProperty('result.resultType');
    expect(modern.received[0]).toMatchObject({
      id: 1_000_000_000,
      result: { resultType: 'complete', content: [{ text: 'ok' }] },
    });
    expect(server.stats()).toMatchObject({
      answered: 4,
      requests: { 'tools/call': 2 },
      sessions: { opened: 1, closed: 0 },
      connections: { active: 2 },
    });
    legacy.end();
    modern.end();
    await until('both to be gone', () => server.stats().connections.active === 0 && legacy.ended && modern.ended);
    expect(server.stats().sessions).toEqual({ opened: 1, closed: 1 });
  });
});

test('a WebSocket is refused to a page whose name resolves to this machine (DNS rebinding)', async () => {
  const { streamPort } = await reference();
  const refused = (headers: Record<string, string>): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${streamPort}/mcp`, 'mcp', { headers });
      onTestEnd(() => socket.terminate());
      socket.on('open', () => resolve('open')).on('error', (error) => resolve(error.message));
    });
  expect(await refused({ host: 'evil.example.com' })).toContain('403');
  expect(await refused({ origin: 'http://evil.example.com' })).toContain('403');
  expect(await refused({ host: 'localhost:1', origin: 'http://localhost:8080' })).toBe('open');
});
