import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { LEGACY, MODERN } from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  event,
  http,
  json,
  LAST_CHUNK,
  legacy,
  type RawHandler,
  type RawRequest,
  type RawServer,
  SSE_HEAD,
  startRawServer,
  writeForever,
} from '../../../tests/support/transport/raw-server.js';
import { RecordingListener } from '../../../tests/support/transport/recording-listener.js';
import { until } from '../../../tests/support/until.js';
import { readStamp, stampOrigin } from '../../mcp/stamp.js';
import { StreamableHttp } from '../http/streamable-http.js';
import { createProfileShared, createThreadShared, createWireCounters } from '../shared.js';

/** Listens on the stream of its own session. */
class Listening extends RecordingListener {
  /** Numbers of the updates. */
  readonly numbers: number[] = [];
  readonly counters = createWireCounters();
  lost = 0;

  constructor(
    url: string,
    options: { readonly uris?: readonly string[]; readonly resume?: boolean; readonly era?: 'legacy' | 'modern' } = {},
  ) {
    super(options.uris ?? ['bench://topic/a'], options.resume ?? true);
    const config = {
      endpoint: { url, headers: {} },
      pinned: options.era === 'modern' ? MODERN : LEGACY,
      connections: 1,
      pipeline: 1,
      openTimeoutMs: 20_000,
      listener: this,
    };
    const channel = new StreamableHttp(
      config,
      {
        onOpen: () => undefined,
        onOpenFailed: (failure) => this.outcomes.push(failure),
        onAnswer: () => undefined,
        onRoom: () => undefined,
        onClosed: (how) => {
          if (how === 'lost') this.lost++;
        },
      },
      createProfileShared(createThreadShared(), this.counters),
    );
    onTestEnd(async () => channel.destroy());
    channel.open();
  }

  override onUpdate(bytes: Buffer, start: number, end: number): void {
    super.onUpdate(bytes, start, end);
    this.numbers.push(readStamp(bytes, start, end)?.number ?? -1);
  }
}

const origin = stampOrigin('0badcafe', 0, 0).toString('latin1');
function update(number: number): object {
  return {
    jsonrpc: '2.0',
    method: 'notifications/resources/updated',
    params: { uri: 'bench://topic/a', _meta: { any: { place: `${origin}7 ${number} 0` } } },
  };
}
function numbered(number: number): string {
  return `id: ${number}\n${event(update(number))}`;
}
function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A session server with subscriptions; every GET goes to `stream`, numbered from 0. */
function subscribable(stream: (request: RawRequest, socket: Socket, nth: number) => void): Promise<RawServer> {
  let streams = 0;
  const handler: RawHandler = (request, socket) => {
    if (request.verb === 'GET') stream(request, socket, streams++);
    else if (request.message.method === 'resources/subscribe')
      socket.write(json({ jsonrpc: '2.0', id: request.message.id, result: {} }));
    else socket.write(ACCEPTED);
  };
  return startRawServer(legacy(handler));
}

describe('a stream that breaks off', () => {
  const events = range(0, 4).map(numbered).join('');

  test('within an event that never ends: memory is bounded, and the stream is requested again', async () => {
    const server = await subscribable((_request, socket, nth) => {
      if (nth > 0) return void socket.write(SSE_HEAD + chunk(numbered(0)));
      socket.write(SSE_HEAD + chunk('retry: 1\n\ndata: '));
      writeForever(socket, chunk('x'.repeat(1_000_000)));
    });
    const listening = new Listening(server.url);
    await until('the update of the next stream', () => listening.numbers.length > 0, 30_000);
    expect(listening.numbers).toEqual([0]);
    expect(listening.counters.streams).toMatchObject({ opened: 2, lost: 1 });
    expect(listening.counters.bytesReceived).toBeLessThan(17_500_000);
  }, 40_000);

  test('resumes after the last whole event, wherever it is cut: no event is missing or repeated', async () => {
    const wire = SSE_HEAD + chunk(`retry: 1\n\n${events}`);
    const bytes = Buffer.from(wire);
    // Every byte of the first event and next to it; the rest repeats.
    const first = SSE_HEAD.length + 6;
    const cuts = range(first, first + Buffer.byteLength(numbered(0)) + 20);
    for (let from = 0; from < cuts.length; from += 12) {
      await Promise.all(
        cuts.slice(from, from + 12).map(async (cut) => {
          const asked: (string | undefined)[] = [];
          const server = await subscribable((request, socket, nth) => {
            asked.push(request.headers['last-event-id']);
            if (nth === 0) socket.end(bytes.subarray(0, cut));
            else
              socket.write(
                SSE_HEAD +
                  chunk(
                    range(Number(request.headers['last-event-id'] ?? -1) + 1, 4)
                      .map(numbered)
                      .join(''),
                  ),
              );
          });
          const listening = new Listening(server.url);
          await until(`four events, cut at byte ${cut}`, () => listening.numbers.length >= 4);
          expect(listening.numbers).toEqual([0, 1, 2, 3]);
          expect(asked[0]).toBeUndefined();
          const { opened, resumed, lost, ended } = listening.counters.streams;
          expect({ lost, ended, streams: opened + resumed }).toEqual({ lost: 1, ended: 0, streams: 2 });
        }),
      );
    }
  });

  test('does not request what it missed when it is set not to', async () => {
    const asked: (string | undefined)[] = [];
    const server = await subscribable((request, socket, nth) => {
      asked.push(request.headers['last-event-id']);
      if (nth === 0) socket.end(SSE_HEAD + chunk(`retry: 1\n${numbered(0)}`));
      else socket.write(SSE_HEAD + chunk(numbered(9)));
    });
    const listening = new Listening(server.url, { resume: false });
    await until('the second stream', () => listening.numbers.length === 2);
    expect(asked).toEqual([undefined, undefined]);
    expect(listening.counters.streams).toMatchObject({ opened: 2, resumed: 0, lost: 1 });
  });

  test('because the server ended it is not lost, and is opened again no sooner than the server asked for', async () => {
    const at: number[] = [];
    const server = await subscribable((_request, socket, nth) => {
      at.push(performance.now());
      if (nth === 0) socket.write(SSE_HEAD + chunk(`retry: 400\n${numbered(0)}`) + LAST_CHUNK);
      else socket.write(SSE_HEAD + chunk(numbered(1)));
    });
    const listening = new Listening(server.url);
    await until('both streams', () => listening.numbers.length === 2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(395);
    expect(listening.counters.streams).toMatchObject({ opened: 1, resumed: 1, ended: 1, lost: 0 });
  });

  test('starts anew where the server no longer knows the last event', async () => {
    const asked: (string | undefined)[] = [];
    const server = await subscribable((request, socket, nth) => {
      asked.push(request.headers['last-event-id']);
      if (nth === 0) socket.end(SSE_HEAD + chunk(`retry: 1\n${numbered(0)}`));
      else if (nth === 1)
        socket.write(
          json(
            { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Invalid event ID format' } },
            '',
            '400 Bad Request',
          ),
        );
      else socket.write(SSE_HEAD + chunk(numbered(5)));
    });
    const listening = new Listening(server.url);
    await until('the third stream', () => listening.numbers.length === 2);
    expect(asked).toEqual([undefined, '0', undefined]);
    expect(listening.requested).toBe(1);
  });

  test('stays closed while its client pauses it, and is resumed afterwards', async () => {
    const asked: (string | undefined)[] = [];
    const server = await subscribable((request, socket, nth) => {
      asked.push(request.headers['last-event-id']);
      socket.write(SSE_HEAD + chunk(nth === 0 ? numbered(0) : numbered(1)));
    });
    const listening = new Listening(server.url);
    await until('the first event', () => listening.numbers.length === 1);
    listening.stream?.pause();
    await until('the stream to be closed', () => listening.counters.connectionsActive === 1);
    expect(asked).toHaveLength(1);
    listening.stream?.start();
    await until('the second event', () => listening.numbers.length === 2);
    expect(asked).toEqual([undefined, '0']);
    expect(listening.counters.streams).toMatchObject({ opened: 1, resumed: 1, returned: 1, lost: 0, ended: 0 });
  });
});

describe('a stream that cannot be opened', () => {
  test('because the server has none (405) fails its subscriptions, once', async () => {
    const server = await subscribable((_request, socket) => socket.write(http('405 Method Not Allowed', '')));
    const listening = new Listening(server.url, { uris: ['bench://topic/a', 'bench://topic/b'] });
    await until('both refusals', () => listening.outcomes.length === 2);
    expect(listening.categories).toEqual(['http_405', 'http_405']);
    expect(server.requests.filter(({ verb }) => verb === 'GET')).toHaveLength(1);
  });

  test('for the moment only is requested again, and then subscribed on', async () => {
    const server = await subscribable((_request, socket, nth) =>
      socket.write(nth === 0 ? http('503 Service Unavailable', '') : SSE_HEAD),
    );
    const listening = new Listening(server.url);
    await until('the subscription', () => listening.outcomes.includes(undefined));
    expect(listening.categories).toEqual(['http_503', undefined]);
  });

  test('because the server has forgotten the session loses the session', async () => {
    const server = await subscribable((_request, socket) =>
      socket.write(
        json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, '', '404 Not Found'),
      ),
    );
    const listening = new Listening(server.url);
    await until('the loss', () => listening.lost === 1);
    expect(listening.ended).toBe(1);
  });
});

describe('messages that a server sends on a stream', () => {
  test('requests are answered: ping with a result, unsupported ones with -32601', async () => {
    const server = await subscribable((_request, socket) => {
      const asks = ['ping', 'roots/list', 'sampling/createMessage'].map((method, id) =>
        event({ jsonrpc: '2.0', id: 40 + id, method, params: {} }),
      );
      socket.write(SSE_HEAD + chunk(asks.join('')));
    });
    const listening = new Listening(server.url);
    const answers = (): RawRequest[] =>
      server.requests.filter(({ message }) => (message.id ?? 0) >= 40 && message.method === undefined);
    await until('three answers', () => answers().length === 3);
    expect(answers().map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { jsonrpc: '2.0', id: 40, result: {} },
      { jsonrpc: '2.0', id: 41, error: { code: -32601, message: 'Method not found' } },
      { jsonrpc: '2.0', id: 42, error: { code: -32601, message: 'Method not found' } },
    ]);
    expect(answers().every(({ headers }) => headers['mcp-session-id'] === 'session-1')).toBe(true);
    expect(listening.counters.streams.serverRequests).toBe(3);
  });

  test('data that is no message is counted and ignored; comments and other events are no messages', async () => {
    const server = await subscribable((_request, socket) => {
      socket.write(
        SSE_HEAD +
          chunk(': alive\n\ndata: {"broken\n\ndata: 7\n\nevent: other\ndata: x\n\ndata:\n\n') +
          chunk(numbered(3)),
      );
    });
    const listening = new Listening(server.url);
    await until('the update', () => listening.numbers.length === 1);
    expect(listening.counters.streams).toMatchObject({ unreadable: 2, updates: 1 });
    expect(listening.counters.messagesReceived).toBeGreaterThanOrEqual(3);
  });

  test('an endless event is cut off and not kept', async () => {
    const server = await subscribable((_request, socket, nth) => {
      if (nth > 0) return void socket.write(SSE_HEAD + chunk(numbered(1)));
      socket.write(SSE_HEAD + chunk('data: '));
      const megabyte = chunk('x'.repeat(1_048_576));
      const more = (): void => {
        if (!socket.destroyed && socket.write(megabyte)) setImmediate(more);
        else socket.once('drain', more);
      };
      more();
    });
    const listening = new Listening(server.url);
    await until('the next stream', () => listening.numbers.length === 1, 30_000);
    expect(listening.counters.streams).toMatchObject({ opened: 2, lost: 1 });
    expect(listening.counters.bytesReceived).toBeLessThan(24 * 1_048_576);
  });
});

describe('the stateless era', () => {
  const listens = (
    handler: (id: number, socket: Socket, nth: number, request: RawRequest) => void,
  ): Promise<RawServer> => {
    let nth = 0;
    return startRawServer((request, socket) => handler(request.message.id ?? -1, socket, nth++, request));
  };
  const acknowledged = (uris: readonly string[]): string =>
    event({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { resourceSubscriptions: uris } },
    });

  test('one request subscribes to everything; subscriptions that the server does not acknowledge fail', async () => {
    const server = await listens((_id, socket) => socket.write(SSE_HEAD + chunk(acknowledged(['bench://topic/b']))));
    const listening = new Listening(server.url, { era: 'modern', uris: ['bench://topic/a', 'bench://topic/b'] });
    await until('both outcomes', () => listening.outcomes.length === 2);
    expect(listening.categories).toEqual(['protocol_violation', undefined]);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      verb: 'POST',
      headers: { 'mcp-method': 'subscriptions/listen', 'mcp-protocol-version': '2026-07-28' },
      message: {
        method: 'subscriptions/listen',
        params: { notifications: { resourceSubscriptions: ['bench://topic/a', 'bench://topic/b'] } },
      },
    });
  });

  test('a stream that breaks off is requested again with all subscriptions, under a new id', async () => {
    const server = await listens((_id, socket, nth) => {
      const text = SSE_HEAD + chunk(`retry: 1\n${acknowledged(['bench://topic/a'])}${event(update(nth))}`);
      if (nth === 0) socket.end(text);
      else socket.write(text);
    });
    const listening = new Listening(server.url, { era: 'modern' });
    await until('the second update', () => listening.numbers.length === 2);
    const ids = server.requests.map(({ message }) => message.id);
    expect(new Set(ids).size).toBe(2);
    expect(server.requests.every(({ headers }) => headers['last-event-id'] === undefined)).toBe(true);
    expect(listening.outcomes).toEqual([undefined, undefined]);
    expect(listening.counters.streams).toMatchObject({ opened: 2, resumed: 0, lost: 1 });
  });

  test('an error instead of a stream fails its subscriptions', async () => {
    const server = await listens((id, socket) =>
      socket.write(json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, '', '404 Not Found')),
    );
    const listening = new Listening(server.url, { era: 'modern' });
    await until('the refusal', () => listening.outcomes.length === 1);
    expect(listening.outcomes[0]?.category).toBe('rpc_-32601');
    expect(server.requests).toHaveLength(1);
  });
});
