import { describe, expect, test } from '@jest/globals';
import { ChannelProbe, LEGACY, MODERN } from '../../../tests/support/transport/channel-probe.js';
import { RecordingListener } from '../../../tests/support/transport/recording-listener.js';
import {
  type Message,
  type Peer,
  type SocketServer,
  startSocketServer,
} from '../../../tests/support/transport/socket-server.js';
import { until } from '../../../tests/support/until.js';

const [a, b] = ['bench://topic/a', 'bench://topic/b'] as const;

function recordingListener(uris: readonly string[] = [a]): RecordingListener {
  return new RecordingListener(uris);
}
function updatedUris({ updates }: RecordingListener): unknown[] {
  return updates.map((text) => (JSON.parse(text) as Message).params?.uri);
}

type MessageHandler = (message: Message, peer: Peer) => void;
const accepts: MessageHandler = ({ id }, peer) => {
  if (id !== undefined) peer.send({ jsonrpc: '2.0', id, result: {} });
};
function update(uri: string): object {
  return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } };
}

async function listen(
  server: SocketServer,
  transport: 'websocket' | 'tcp',
  listener: RecordingListener,
  era: 'legacy' | 'modern' = 'legacy',
  openTimeoutMs = 20_000,
): Promise<ChannelProbe> {
  return new ChannelProbe(server.url, {
    transport,
    pinned: era === 'legacy' ? LEGACY : MODERN,
    listener,
    openTimeoutMs,
  }).open();
}
function sent({ peers }: SocketServer, method: string): readonly Message[] {
  return peers.flatMap(({ messages }) => messages).filter((message) => message.method === method);
}

describe.each(['websocket', 'tcp'] as const)('messages that a server sends on its own over %s', (transport) => {
  test('are read: updates, progress and requests, between the answers of the load', async () => {
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
    const listener = recordingListener();
    const probe = await listen(server, transport, listener);
    await until('the subscription', () => listener.outcomes.length === 1);
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
    expect(listener).toMatchObject({ outcomes: [undefined], requested: 1 });
    expect(updatedUris(listener)).toEqual([a]);
    expect(probe.counters.streams).toMatchObject({ opened: 1, updates: 1, progress: 2, serverRequests: 4, lost: 0 });
    await probe.close();
    expect(listener.ended).toBe(1);
    expect(probe.counters.streams.lost).toBe(0);
  });

  test('end with the link, and the stream counts as lost', async () => {
    const server = await startSocketServer(transport, accepts);
    const listener = recordingListener();
    const probe = await listen(server, transport, listener);
    await until('the subscription', () => listener.outcomes.length === 1);
    server.peers[0]?.socket.destroy();
    await until('the loss', () => probe.closed === 'lost');
    expect(listener.ended).toBe(1);
    expect(probe.counters.streams).toMatchObject({ opened: 1, lost: 1 });
  });
});

describe('session era', () => {
  test('subscriptions are requested one after the other; only a refused one fails', async () => {
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
    const listener = recordingListener([a, b]);
    await listen(server, 'tcp', listener);
    await until('both outcomes', () => listener.outcomes.length === 2);
    expect(listener.categories).toEqual(['rpc_-32602', undefined]);
    expect(most).toBe(1);
  });

  test('an unanswered subscription times out', async () => {
    const server = await startSocketServer('tcp', () => undefined);
    const listener = recordingListener();
    await listen(server, 'tcp', listener, 'legacy', 300);
    await until('the outcome', () => listener.outcomes.length === 1);
    expect(listener.categories).toEqual(['timeout']);
  });

  test('a paused client unsubscribes, gets no updates, and subscribes again', async () => {
    const server = await startSocketServer('tcp', accepts);
    const listener = recordingListener([a, b]);
    const probe = await listen(server, 'tcp', listener);
    await until('the subscriptions', () => listener.outcomes.length === 2);
    listener.stream?.pause();
    await until('it to unsubscribe', () => sent(server, 'resources/unsubscribe').length === 2);
    expect(sent(server, 'resources/unsubscribe').map(({ params }) => params?.uri)).toEqual([a, b]);
    server.peers[0]?.send(update(a));
    await until('the update to come', () => probe.counters.streams.updates === 1);
    expect(listener.updates).toEqual([]);
    listener.stream?.start();
    await until('both again', () => listener.outcomes.length === 4);
    server.peers[0]?.send(update(b));
    await until('an update', () => listener.updates.length === 1);
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

  test('one request subscribes to all; the server accepted those that it acknowledges', async () => {
    const server = await startSocketServer('tcp', (_message, peer) => acknowledge(peer, [b]), { initializes: false });
    const listener = recordingListener([a, b]);
    const probe = await listen(server, 'tcp', listener, 'modern');
    await until('both outcomes', () => listener.outcomes.length === 2);
    expect(listener.categories).toEqual(['protocol_violation', undefined]);
    server.peers[0]?.send(update(b));
    await until('an update', () => listener.updates.length === 1);
    const [request] = sent(server, 'subscriptions/listen');
    expect(request?.params).toMatchObject({
      notifications: { resourceSubscriptions: [a, b] },
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    });
    listener.stream?.pause();
    await until('it to be cancelled', () => sent(server, 'notifications/cancelled').length === 1);
    expect(sent(server, 'notifications/cancelled')[0]?.params?.requestId).toBe(request?.id);
    await probe.close();
    expect(probe.counters.streams).toMatchObject({ opened: 1, ended: 0, lost: 0 });
  });

  test('a stream that the server ends properly is requested again, with another id', async () => {
    let asked = 0;
    const server = await startSocketServer(
      'tcp',
      ({ id, method }, peer) => {
        if (method !== 'subscriptions/listen') return;
        acknowledge(peer, [a]);
        if (asked++ === 0) peer.send({ jsonrpc: '2.0', id, result: { resultType: 'complete' } });
      },
      { initializes: false },
    );
    const listener = recordingListener();
    const probe = await listen(server, 'tcp', listener, 'modern');
    await until('it to be accepted twice', () => listener.outcomes.length === 2);
    expect(listener.categories).toEqual([undefined, undefined]);
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
      { initializes: false },
    );
    const listener = recordingListener();
    const probe = await listen(server, 'tcp', listener, 'modern');
    await until('the outcome', () => listener.outcomes.length === 1);
    expect(listener.categories).toEqual(['rpc_-32601']);
    expect(sent(server, 'subscriptions/listen')).toHaveLength(1);
    expect(await probe.call(1)).toEqual(['correct']);
  });
});
