import { describe, expect, test } from '@jest/globals';
import { ChannelProbe, COUNTED, ECHO, MODERN } from '../../../tests/support/transport/channel-probe.js';
import { result } from '../../../tests/support/transport/raw-server.js';
import {
  type Message,
  type MessageHandler,
  type Peer,
  startSocketServer,
} from '../../../tests/support/transport/socket-server.js';
import { until } from '../../../tests/support/until.js';

const answerAll: MessageHandler = ({ id }, peer) => peer.send(result(id));
function calls({ messages }: Peer): readonly Message[] {
  return messages.filter(({ method }) => method === 'tools/call');
}

describe.each(['websocket', 'tcp'] as const)('%s', (transport) => {
  const open = (url: string, options: ConstructorParameters<typeof ChannelProbe>[1] = {}): Promise<ChannelProbe> =>
    new ChannelProbe(url, { transport, ...options }).open();

  test('does the handshake in the session era, and none in the stateless era', async () => {
    const server = await startSocketServer(transport, answerAll);
    const legacy = await open(server.url);
    const modern = await open(server.url, { pinned: MODERN });
    expect(await legacy.call()).toEqual(['correct']);
    expect(await modern.call()).toEqual(['correct']);
    expect(server.peers.map(({ messages }) => messages.map(({ method }) => method))).toEqual([
      ['initialize', 'notifications/initialized', 'tools/call'],
      ['tools/call'],
    ]);
    expect(server.peers[1]?.messages[0]?.params?._meta).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    });
    expect(legacy.counters.messagesSent).toBe(3);
    expect(legacy.counters.messagesReceived).toBe(2);
  });

  test('requests that are due together leave in one write', async () => {
    const server = await startSocketServer(transport, answerAll);
    const probe = await open(server.url, { pipeline: 64 });
    await until('the handshake', () => server.peers[0]?.messages.length === 2);
    const reads = server.peers[0]?.reads ?? 0;
    expect(await probe.call(64)).toEqual(Array(64).fill('correct'));
    // 64 requests are under 16 KiB, which loopback delivers in one piece.
    expect((server.peers[0]?.reads ?? 0) - reads).toBeLessThanOrEqual(2);
    expect(new Set(calls(server.peers[0] as Peer).map(({ id }) => id)).size).toBe(64);
  });

  test('answers in any order find their requests, as many as `pipeline` at once', async () => {
    const held: { readonly id: number | undefined; readonly n: unknown }[] = [];
    const server = await startSocketServer(transport, ({ id, params }, peer) => {
      held.push({ id, n: (params?.arguments as { n?: unknown } | undefined)?.n });
      if (held.length < 8) return;
      for (const one of held.splice(0).reverse())
        peer.send(one.id === undefined ? {} : result(one.id, `n is ${String(one.n)}`));
    });
    const probe = await open(server.url, { pipeline: 8 });
    expect(probe.channel.room).toBe(8);
    for (let turn = 0; turn < 5; turn++) expect(await probe.call(8, COUNTED)).toEqual(Array(8).fill('correct'));
    expect(probe.log.slice(0, 8)).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((ticket) => `${ticket} correct`));
  });

  test('requests of the server are answered, and notifications are read, between answers', async () => {
    const server = await startSocketServer(transport, ({ id, method }, peer) => {
      if (method !== 'tools/call') return;
      peer.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } });
      peer.send({ jsonrpc: '2.0', id: 'ping-1', method: 'ping' });
      peer.send({ jsonrpc: '2.0', id: 7, method: 'sampling/createMessage', params: {} });
      peer.send(result(id));
    });
    const probe = await open(server.url);
    expect(await probe.call()).toEqual(['correct']);
    await until(
      'two answers',
      () => server.peers[0]?.messages.filter(({ method }) => method === undefined).length === 2,
    );
    expect(server.peers[0]?.messages.filter(({ method }) => method === undefined)).toEqual([
      { jsonrpc: '2.0', id: 'ping-1', result: {} },
      { jsonrpc: '2.0', id: 7, error: { code: -32601, message: 'Method not found' } },
    ]);
    expect(probe.counters.messagesReceived).toBe(5);
  });

  const answer =
    (part: object): MessageHandler =>
    ({ id }, peer) =>
      peer.send({ jsonrpc: '2.0', id, ...part });
  test.each<[string, MessageHandler, string]>([
    ['an error', answer({ error: { code: -32602, message: 'no' } }), 'rpc_-32602'],
    [
      'an error without an id',
      (_message, peer) => peer.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'no' } }),
      'rpc_-32700',
    ],
    ['a failing tool', answer({ result: { isError: true, content: [] } }), 'tool_error'],
    ['neither result nor error', answer({}), 'protocol_violation'],
    ['another version', ({ id }, peer) => peer.send({ jsonrpc: '1.0', id, result: {} }), 'protocol_violation'],
    [
      'an id that no request had',
      (_message, peer) => peer.send({ jsonrpc: '2.0', id: 5, result: {} }),
      'protocol_violation',
    ],
    [
      'an id as text',
      ({ id }, peer) => peer.send({ jsonrpc: '2.0', id: String(id), result: {} }),
      'protocol_violation',
    ],
    [
      'a batch of two',
      ({ id }, peer) =>
        peer.send([
          { jsonrpc: '2.0', id, result: {} },
          { jsonrpc: '2.0', id: 7, result: {} },
        ]),
      'protocol_violation',
    ],
    [
      'the id of a request of another client',
      ({ id }, peer) => peer.send({ jsonrpc: '2.0', id: (id ?? 0) + 1_000_000, result: {} }),
      'crossed',
    ],
    ['the end of the connection instead', (_message, { socket }) => void socket.end(), 'stream_lost'],
    ['a reset', (_message, { socket }) => void socket.resetAndDestroy(), 'stream_lost'],
  ])('a request answered with %s has failed', async (_what, handler, category) => {
    const server = await startSocketServer(transport, handler);
    const probe = await open(server.url);
    expect(await probe.call()).toEqual([category]);
    expect(probe.lastFailure?.sample?.request).toContain('"method":"tools/call"');
  });

  test('a lost connection fails all requests in flight and loses the session', async () => {
    const server = await startSocketServer(transport, ({ id }, peer) => {
      if (calls(peer).length === 3) {
        peer.send(result(id));
        peer.socket.end();
      }
    });
    const probe = await open(server.url, { pipeline: 4 });
    expect(await probe.call(3)).toEqual(['stream_lost', 'stream_lost', 'correct']);
    await until('the session to be lost', () => probe.closed !== undefined);
    expect(probe.log).toEqual(['2 correct', '0 stream_lost', '1 stream_lost', 'lost']);
    expect([probe.channel.room, probe.counters.connectionsActive]).toEqual([0, 0]);
  });

  test('an abandoned request is cancelled, its answer counts as late, and its room is free at once', async () => {
    const server = await startSocketServer(transport, () => undefined);
    const probe = await open(server.url, { pipeline: 2 });
    probe.sendUnflushed();
    probe.sendUnflushed();
    probe.channel.flush();
    const peer = await until('both requests', () => server.peers.find((one) => calls(one).length === 2));
    probe.channel.abandon(0);
    expect(probe.channel.room).toBe(1);
    const cancelled = await until('the cancellation', () =>
      peer.messages.find(({ method }) => method === 'notifications/cancelled'),
    );
    expect(cancelled.params?.requestId).toBe(calls(peer)[0]?.id);
    peer.send(result(calls(peer)[0]?.id));
    peer.send(result(calls(peer)[1]?.id));
    await until('the answer', () => probe.outcomes[1] === 'correct');
    expect([probe.outcomes[0], probe.counters.lateAnswers]).toEqual(['waiting', 1]);
  });

  test('a server that sends nothing while all requests in flight time out counts as dead', async () => {
    const server = await startSocketServer(transport, () => undefined);
    const probe = await open(server.url, { pipeline: 4 });
    const tickets = [probe.sendUnflushed(), probe.sendUnflushed(), probe.sendUnflushed(), probe.sendUnflushed()];
    probe.channel.flush();
    for (const ticket of tickets) probe.channel.abandon(ticket);
    await until('the session to be lost', () => probe.closed !== undefined);
    expect(probe.closed).toBe('lost');
    await until('its socket to be closed', () => server.open === 0);
  });

  test.each(['delete', 'abandon', 'reset'] as const)(
    '%s answers the requests in flight and leaves no socket open',
    async (how) => {
      const server = await startSocketServer(transport, () => undefined);
      const probe = await open(server.url, { pipeline: 2 });
      const reset = new Promise<boolean>((resolve) => {
        server.peers[0]?.socket.once('error', () => resolve(true)).once('close', () => resolve(false));
      });
      probe.sendUnflushed();
      probe.sendUnflushed();
      probe.channel.flush();
      await until('the requests', () => server.peers.some((one) => calls(one).length === 2));
      const closing = probe.close(how);
      // A server that has read the close message ends the connection itself.
      if (how === 'delete' && transport === 'websocket')
        await until('the close frame', () => server.peers[0]?.frames.some(({ opcode }) => opcode === 8));
      server.peers[0]?.socket.end();
      await closing;
      expect(probe.log).toEqual(['0 aborted_by_us', '1 aborted_by_us', 'closed']);
      expect(await reset).toBe(how === 'reset');
      expect(server.peers[0]?.frames.some(({ opcode }) => opcode === 8)).toBe(
        how === 'delete' && transport === 'websocket',
      );
      await until('all sockets to be closed', () => server.open === 0);
      expect(probe.counters.connectionsActive).toBe(0);
    },
  );

  test('destroy is followed by no event, and close while opening makes the opening fail', async () => {
    const server = await startSocketServer(transport, () => undefined, { initializes: false });
    const probe = new ChannelProbe(server.url, { transport });
    probe.channel.open();
    await until('initialize to arrive', () => server.peers[0]?.messages.length === 1);
    probe.channel.close('delete');
    expect(probe.openFailure?.category).toBe('aborted_by_us');
    const other = new ChannelProbe(server.url, { transport, pinned: MODERN });
    await other.open();
    other.sendUnflushed();
    other.channel.flush();
    other.channel.destroy();
    await until('all sockets to be closed', () => server.open === 0);
    expect(other.log).toEqual([]);
  });

  test.each<[string, MessageHandler, string]>([
    ['is silent', () => undefined, 'timeout'],
    ['hangs up', (_message, { socket }) => void socket.end(), 'stream_lost'],
    [
      'refuses',
      ({ id }, peer) => peer.send({ jsonrpc: '2.0', id, error: { code: -32000, message: 'full' } }),
      'rpc_-32000',
    ],
    [
      'chooses an unknown version',
      ({ id }, peer) =>
        peer.send({
          jsonrpc: '2.0',
          id,
          result: { protocolVersion: '1', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
        }),
      'protocol_violation',
    ],
  ])('no session is opened with a server that %s', async (_what, handler, category) => {
    const server = await startSocketServer(transport, handler, { initializes: false });
    const probe = await open(server.url, { openTimeoutMs: 300 });
    expect(probe.openFailure?.category).toBe(category);
    await until('its socket to be closed', () => server.open === 0);
  });

  test('a session fails to open where nothing listens', async () => {
    const server = await startSocketServer(transport, () => undefined);
    const port = Number(new URL(server.url).port) === 1 ? 2 : 1;
    const probe = await open(server.url.replace(/:\d+/, `:${port}`));
    expect(probe.openFailure?.category).toBe('connect');
  });

  test('a slow reader reads no faster than its rate', async () => {
    const big = 'x'.repeat(50_000);
    const server = await startSocketServer(transport, ({ id }, peer) => peer.send(result(id, big)));
    const probe = await open(server.url, { pipeline: 4, readBytesPerSecond: 100_000 });
    const startedAt = performance.now();
    expect(await probe.call(4, ECHO)).toEqual(Array(4).fill('correct'));
    // 200,000 bytes at 100,000 a second; less what the first read takes at once.
    expect(performance.now() - startedAt).toBeGreaterThan(1500);
  });
});
