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

interface Talker {
  ask(message: object): void;
  readonly heard: readonly Record<string, unknown>[];
  readonly ended: boolean;
  end(): void;
}

async function talkWebSocket(port: number): Promise<Talker> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mcp`, 'mcp');
  const heard: Record<string, unknown>[] = [];
  let ended = false;
  socket.on('message', (data) => heard.push(JSON.parse(String(data)) as Record<string, unknown>));
  socket.on('close', () => (ended = true));
  socket.on('error', () => undefined);
  onTestEnd(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  return {
    ask: (message) => socket.send(JSON.stringify(message)),
    heard,
    get ended() {
      return ended;
    },
    end: () => socket.close(),
  };
}

async function talkLines(port: number): Promise<Talker> {
  const socket: Socket = connect(port, '127.0.0.1');
  const heard: Record<string, unknown>[] = [];
  let ended = false;
  let rest = '';
  socket.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) heard.push(JSON.parse(line) as Record<string, unknown>);
  });
  socket.on('close', () => (ended = true));
  onTestEnd(() => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    ask: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    heard,
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

describe.each<[string, (port: number) => Promise<Talker>]>([
  ['websocket', talkWebSocket],
  ['lines', talkLines],
])('over %s the reference server', (_what, talk) => {
  test('serves the session era, signs its results, and counts what it answered', async () => {
    const server = await reference();
    const talker = await talk(server.streamPort ?? 0);
    talker.ask(INITIALIZE);
    await until('the greeting', () => talker.heard.length === 1);
    talker.ask(INITIALIZED);
    talker.ask(call(2, 'echo', { message: 'größe' }));
    talker.ask(call(3, 'fail', {}));
    await until('both answers', () => talker.heard.length === 3);
    expect(talker.heard[0]).toMatchObject({
      id: 1,
      result: { protocolVersion: '2025-11-25', _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(talker.heard.find(({ id }) => id === 2)).toMatchObject({
      result: { content: [{ text: 'größe' }], _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(server.stats()).toMatchObject({
      answered: 4,
      tools: { echo: { ok: 1 } },
      sessions: { active: 1, opened: 1 },
      connections: { active: 1, opened: 1 },
    });
    talker.end();
    await until('the session to end', () => server.stats().sessions.closed === 1);
    expect(server.stats()).toMatchObject({ sessions: { active: 0 }, connections: { active: 0 } });
  });

  test('serves the stateless era, and says so when asked', async () => {
    const server = await reference();
    const talker = await talk(server.streamPort ?? 0);
    talker.ask({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } });
    talker.ask(call(2, 'echo', { message: 'hi' }, META));
    await until('both answers', () => talker.heard.length === 2);
    expect(talker.heard.find(({ id }) => id === 1)).toMatchObject({
      result: { supportedVersions: expect.arrayContaining(['2026-07-28']) },
    });
    expect(talker.heard.find(({ id }) => id === 2)).toMatchObject({
      result: { resultType: 'complete', content: [{ text: 'hi' }], _meta: { 'swarmbench/replica': 'r1' } },
    });
    expect(server.stats().sessions.opened).toBe(0);
  });

  test('serves one era only when told to', async () => {
    const modern = await talk((await reference('modern')).streamPort ?? 0);
    modern.ask(INITIALIZE);
    const legacy = await talk((await reference('legacy')).streamPort ?? 0);
    legacy.ask({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } });
    await until('both refusals', () => modern.heard.length === 1 && legacy.heard.length === 1);
    expect(modern.heard[0]).toHaveProperty('error');
    expect(legacy.heard[0]).toMatchObject({ error: { code: -32601 } });
  });

  test('answers what is not JSON, tells subscribers, and lets go of clients that go', async () => {
    const server = await reference();
    const talker = await talk(server.streamPort ?? 0);
    talker.ask(INITIALIZE);
    talker.ask(INITIALIZED);
    talker.ask({ jsonrpc: '2.0', id: 2, method: 'resources/subscribe', params: { uri: 'bench://topic/a' } });
    await until('the subscription', () => talker.heard.length === 2);
    talker.ask(call(3, 'publish', { topic: 'a', message: 'news' }));
    await until('the update', () => talker.heard.some(({ method }) => method === 'notifications/resources/updated'));
    talker.ask(call(4, 'sleep', { ms: 5000 }));
    await until('the call to begin', () => server.stats().requests['tools/call'] !== undefined);
    talker.end();
    await until('it to be counted as aborted', () => server.stats().aborted === 1);
  });
});

test('a client that sends rubbish is told so', async () => {
  const server = await reference();
  const socket = connect(server.streamPort ?? 0, '127.0.0.1');
  onTestEnd(() => socket.destroy());
  let heard = '';
  socket.on('data', (chunk) => (heard += String(chunk)));
  socket.write('hello\n');
  await until('the answer', () => heard.includes('\n'));
  expect(JSON.parse(heard)).toMatchObject({ id: null, error: { code: -32700 } });
});

test('the official client of SDK 1.x speaks WebSocket with it', async () => {
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

describe.each<[string, (port: number) => Promise<Talker>]>([
  ['websocket', talkWebSocket],
  ['lines', talkLines],
])('over %s the sink', (_what, talk) => {
  test('answers both eras, and counts', async () => {
    const server = await sink();
    const legacy = await talk(server.streamPort ?? 0);
    const modern = await talk(server.streamPort ?? 0);
    legacy.ask(INITIALIZE);
    legacy.ask(INITIALIZED);
    legacy.ask(call(2, 'echo', { message: 'x'.repeat(100_000) }));
    modern.ask(call(1_000_000_000, 'echo', {}, META));
    await until('three answers', () => legacy.heard.length === 2 && modern.heard.length === 1);
    expect(legacy.heard.map(({ id }) => id)).toEqual([1, 2]);
    expect(legacy.heard[1]).not.toHaveProperty('result.resultType');
    expect(modern.heard[0]).toMatchObject({
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

test('a WebSocket for a page whose name was made to resolve to this machine is refused', async () => {
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
