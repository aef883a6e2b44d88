import { describe, expect, test } from '@jest/globals';
import { until } from '../../../tests/support/until.js';
import { ChannelProbe, LEGACY, MODERN } from '../testing/channel-probe.js';
import { RecordingListener } from '../testing/recording-listener.js';
import { type Message, type Peer, type SocketServer, startSocketServer } from '../testing/socket-server.js';

const [a, b] = ['bench://topic/a', 'bench://topic/b'] as const;

function hearing(uris: readonly string[] = [a]): RecordingListener {
  return new RecordingListener(uris);
}
function urisHeard({ heard }: RecordingListener): unknown[] {
  return heard.map((text) => (JSON.parse(text) as Message).params?.uri);
}

type Talk = (message: Message, peer: Peer) => void;
const takes: Talk = ({ id }, peer) => {
  if (id !== undefined) peer.send({ jsonrpc: '2.0', id, result: {} });
};
function update(uri: string): object {
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } };
}

async function listen(
  server: SocketServer,
  transport: 'websocket' | 'tcp',
  listening: RecordingListener,
  era: 'legacy' | 'modern' = 'legacy',
  openTimeoutMs = 20_000,
): Promise<ChannelProbe> {
  return new ChannelProbe(server.url, {
    transport,
    pinned: era === 'legacy' ? LEGACY : MODERN,
    listener: listening,
    openTimeoutMs,
  }).open();
}
function sent({ peers }: SocketServer, method: string): readonly Message[] {
  return peers.flatMap(({ messages }) => messages).filter((message) => message.method === method);
}

describe.each(['websocket', 'tcp'] as const)('what a server says over %s', (transport) => {
  test('is heard: updates, progress and requests, beside the answers of the load', async () => {
    const server = await startSocketServer(transport, ({ id, method }, peer) => {
      if (method === 'resources/subscribe') {
        peer.send({ jsonrpc: '2.0', id, result: {} });
        for (const [index, asks] of ['ping', 'roots/list', 'sampling/createMessage', 'elicitation/create'].entries())
          peer.send({ jsonrpc: '2.0', id: `s${index}`, method: asks, params: {} });
      }
      if (method === 'tools/call') {
        for (const progress of [1, 2])
          peer.send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress } });
        peer.send(update(a));
        peer.send({ jsonrpc: '2.0', id, result: { content: [] } });
      }
    });
    const listening = hearing();
    const probe = await listen(server, transport, listening);
    await until('the subscription', () => listening.outcomes.length === 1);
    expect(await probe.call(1)).toEqual(['correct']);
    const answers = (): readonly Message[] =>
      server.peers
        .flatMap(({ messages }) => messages)
        .filter(({ id, method }) => typeof id === 'string' && method === undefined);
    await until('four answers', () => answers().length === 4);
    expect(answers().map(({ error }) => (error as { code: number } | undefined)?.code)).toEqual([
      undefined,
      -32601,
      -32601,
      -32601,
    ]);
    expect(listening).toMatchObject({ outcomes: [undefined], asked: 1 });
    expect(urisHeard(listening)).toEqual([a]);
    expect(probe.counters.streams).toMatchObject({ opened: 1, updates: 1, progress: 2, serverRequests: 4, lost: 0 });
    await probe.close();
    expect(listening.over).toBe(1);
    expect(probe.counters.streams.lost).toBe(0);
  });

  test('ends with the link, which is then lost', async () => {
    const server = await startSocketServer(transport, takes);
    const listening = hearing();
    const probe = await listen(server, transport, listening);
    await until('the subscription', () => listening.outcomes.length === 1);
    server.peers[0]?.socket.destroy();
    await until('the loss', () => probe.closed === 'lost');
    expect(listening.over).toBe(1);
    expect(probe.counters.streams).toMatchObject({ opened: 1, lost: 1 });
  });
});

describe('session era', () => {
  test('subscriptions are asked for one after the other; one that is refused has failed, the others have not', async () => {
    let most = 0;
    let open = 0;
    const server = await startSocketServer('tcp', ({ id, params }, peer) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        peer.send(
          params?.uri === a
            ? { jsonrpc: '2.0', id, error: { code: -32602, message: 'no such resource' } }
            : { jsonrpc: '2.0', id, result: {} },
        );
      }, 20);
    });
    const listening = hearing([a, b]);
    await listen(server, 'tcp', listening);
    await until('both outcomes', () => listening.outcomes.length === 2);
    expect(listening.categories).toEqual(['rpc_-32602', undefined]);
    expect(most).toBe(1);
  });

  test('one that is not answered has failed in time', async () => {
    const server = await startSocketServer('tcp', () => undefined);
    const listening = hearing();
    await listen(server, 'tcp', listening, 'legacy', 300);
    await until('the outcome', () => listening.outcomes.length === 1);
    expect(listening.categories).toEqual(['timeout']);
  });

  test('a client that is away has unsubscribed, hears nothing, and subscribes again', async () => {
    const server = await startSocketServer('tcp', takes);
    const listening = hearing([a, b]);
    const probe = await listen(server, 'tcp', listening);
    await until('the subscriptions', () => listening.outcomes.length === 2);
    listening.stream?.pause();
    await until('it to unsubscribe', () => sent(server, 'resources/unsubscribe').length === 2);
    expect(sent(server, 'resources/unsubscribe').map(({ params }) => params?.uri)).toEqual([a, b]);
    server.peers[0]?.send(update(a));
    await until('the update to come', () => probe.counters.streams.updates === 1);
    expect(listening.heard).toEqual([]);
    listening.stream?.start();
    await until('both again', () => listening.outcomes.length === 4);
    server.peers[0]?.send(update(b));
    await until('an update', () => listening.heard.length === 1);
    expect(probe.counters.streams).toMatchObject({ opened: 2, returned: 1, lost: 0, resumed: 0 });
  });
});

describe('stateless era', () => {
  const acknowledge = (peer: Peer, uris: readonly string[]): void =>
    peer.send({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { resourceSubscriptions: uris } },
    });

  test('one request subscribes to all; what the server took is what it acknowledged', async () => {
    const server = await startSocketServer('tcp', (_message, peer) => acknowledge(peer, [b]), { greets: false });
    const listening = hearing([a, b]);
    const probe = await listen(server, 'tcp', listening, 'modern');
    await until('both outcomes', () => listening.outcomes.length === 2);
    expect(listening.categories).toEqual(['protocol_violation', undefined]);
    server.peers[0]?.send(update(b));
    await until('an update', () => listening.heard.length === 1);
    const [request] = sent(server, 'subscriptions/listen');
    expect(request?.params).toMatchObject({
      notifications: { resourceSubscriptions: [a, b] },
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    });
    listening.stream?.pause();
    await until('it to be cancelled', () => sent(server, 'notifications/cancelled').length === 1);
    expect(sent(server, 'notifications/cancelled')[0]?.params?.requestId).toBe(request?.id);
    await probe.close();
    expect(probe.counters.streams).toMatchObject({ opened: 1, ended: 0, lost: 0 });
  });

  test('what the server ends in good order is asked for again, by another id', async () => {
    let asked = 0;
    const server = await startSocketServer(
      'tcp',
      ({ id, method }, peer) => {
        if (method !== 'subscriptions/listen') return;
        acknowledge(peer, [a]);
        if (asked++ === 0) peer.send({ jsonrpc: '2.0', id, result: { resultType: 'complete' } });
      },
      { greets: false },
    );
    const listening = hearing();
    const probe = await listen(server, 'tcp', listening, 'modern');
    await until('it to be taken twice', () => listening.outcomes.length === 2);
    expect(listening.categories).toEqual([undefined, undefined]);
    expect(new Set(sent(server, 'subscriptions/listen').map(({ id }) => id)).size).toBe(2);
    expect(probe.counters.streams).toMatchObject({ opened: 2, ended: 1, lost: 0 });
  });

  test('a server without subscriptions is asked once', async () => {
    const server = await startSocketServer(
      'tcp',
      ({ id, method }, peer) => {
        if (method === 'subscriptions/listen')
          peer.send({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
        else peer.send({ jsonrpc: '2.0', id, result: { content: [] } });
      },
      { greets: false },
    );
    const listening = hearing();
    const probe = await listen(server, 'tcp', listening, 'modern');
    await until('the outcome', () => listening.outcomes.length === 1);
    expect(listening.categories).toEqual(['rpc_-32601']);
    expect(sent(server, 'subscriptions/listen')).toHaveLength(1);
    expect(await probe.call(1)).toEqual(['correct']);
  });
});
