import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { ChannelProbe, COUNTED, ECHO, MODERN } from '../../../tests/support/transport/channel-probe.js';
import {
  chunk,
  correct,
  event,
  http,
  json,
  LAST_CHUNK,
  legacy,
  NO_SESSION,
  type RawHandler,
  type RawRequest,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';
import { ConnectLimiter } from '../socket/connect-limiter.js';

const answerAll: RawHandler = ({ message }, socket) => void socket.write(correct(message.id));
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('requests in flight', () => {
  test('are sent together and answered in order, as many as there is room for', async () => {
    const held: (() => void)[] = [];
    const server = await startRawServer(
      legacy(({ message }, socket) => void held.push(() => socket.write(correct(message.id)))),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 4 }).open();
    expect(probe.channel.room).toBe(4);
    const answers = probe.call(4, COUNTED);
    await until('all four to be sent', () => probe.channel.room === 0);
    expect(() =>
      probe.channel.send(
        { index: 0, method: '', nameHeader: undefined, maxBodyBytes: 0, writeBody: () => 0 },
        { seed: 0, slot: 0, sequence: 0 },
        99,
      ),
    ).toThrow(RangeError);
    await until('all four to arrive before any answer', () => held.length === 4);
    for (const answer of held) answer();
    expect(await answers).toEqual(['correct', 'correct', 'correct', 'correct']);
    expect(probe.log).toEqual(['0 correct', '1 correct', '2 correct', '3 correct']);
  });

  test('are sent only at the flush', async () => {
    const server = await startRawServer(legacy(answerAll));
    const probe = await new ChannelProbe(server.url, { pipeline: 2 }).open();
    probe.sendUnflushed();
    await pause(30);
    expect(server.requests).toHaveLength(2);
    expect(await probe.call()).toEqual(['correct']);
    expect(probe.outcomes).toEqual(['correct', 'correct']);
  });

  test('spread over all connections', async () => {
    const server = await startRawServer(legacy(answerAll));
    const probe = await new ChannelProbe(server.url, { connections: 3, pipeline: 2 }).open();
    await until('all 3 to be accepted', () => server.open === 3);
    expect(probe.channel.room).toBe(6);
    expect(await probe.call(6)).toEqual(new Array(6).fill('correct'));
    const perConnection = [1, 2, 3].map(
      (connection) =>
        server.requests.filter(
          (request) => request.connection === connection && request.message.method === 'tools/call',
        ).length,
    );
    expect(perConnection).toEqual([2, 2, 2]);
  });

  test('caused by answers are sent together at the end of the read', async () => {
    const server = await startRawServer((request, socket) => void socket.write(correct(request.message.id)));
    const probe = await new ChannelProbe(server.url, { pinned: MODERN, pipeline: 8 }).open();
    let left = 400;
    probe.afterAnswer = () => {
      if (--left <= 0) return;
      probe.sendUnflushed();
      probe.channel.flush();
    };
    await probe.call(8);
    await until('all answers', () => left <= 0);
    expect(probe.outcomes.filter((outcome) => outcome !== 'correct' && outcome !== 'waiting')).toEqual([]);
  });

  test('are answered between the start and the end of the read that brings all answers', async () => {
    const held: (number | undefined)[] = [];
    const server = await startRawServer(
      legacy(({ message }, socket) => {
        held.push(message.id);
        if (held.length % 4 === 0)
          socket.write(
            held
              .slice(-4)
              .map((id) => correct(id))
              .join(''),
          );
      }),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 4 }).open();
    probe.reads.length = 0;
    for (let round = 0; round < 3; round++)
      expect(await probe.call(4)).toEqual(['correct', 'correct', 'correct', 'correct']);
    expect(probe.reads).toEqual([4, 4, 4]);
  });

  test('may be far longer than the send buffer', async () => {
    const server = await startRawServer(legacy(answerAll));
    const probe = await new ChannelProbe(server.url, { pipeline: 8 }).open();
    const long = {
      ...ECHO,
      params: { kind: 'object', entries: [['v', { kind: 'string', parts: [{ name: 'text', length: 300_000 }] }]] },
    } as const;
    const tickets = Array.from({ length: 8 }, (_, index) => probe.sendUnflushed(index % 2 === 0 ? long : ECHO));
    probe.channel.flush();
    await until('all answers', () => tickets.every((ticket) => probe.outcomes[ticket] === 'correct'));
    const calls = server.requests.filter(({ message }) => message.method === 'tools/call');
    expect(calls.map(({ body }) => body.length > 300_000)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(probe.counters.bytesSent).toBeGreaterThan(1_200_000);
  });
});

describe('a connection that ends', () => {
  test('as announced, after each answer, is opened again for the next request', async () => {
    const server = await startRawServer(
      legacy(({ message }, socket) => void socket.end(json(result(message.id), 'connection: close\r\n'))),
    );
    const probe = await new ChannelProbe(server.url).open();
    for (let round = 0; round < 3; round++) expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(3);
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test('while nothing is in flight causes no failure', async () => {
    const server = await startRawServer(
      legacy(({ message }, socket) => void socket.write(correct(message.id), () => setTimeout(() => socket.end(), 20))),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    await until('the server to close the connection', () => server.open === 0);
    expect(probe.channel.room).toBe(1);
    expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(2);
  });

  test('is replaced before the keep-alive timeout that the server announced', async () => {
    const server = await startRawServer(
      legacy(({ message }, socket) => void socket.write(json(result(message.id), 'keep-alive: timeout=1\r\n'))),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(1);
    await pause(600);
    expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(2);
  });

  test.each<[string, RawHandler, RegExp]>([
    // Later than a request and the end of an idle connection could cross each other.
    ['before the answer', (_request, socket) => void setTimeout(() => socket.end(), 300), /before the answer/],
    ['by reset', (_request, socket) => void socket.resetAndDestroy(), /ECONNRESET|closed/],
    ['within the head', (_request, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-'), /within the answer/],
    [
      'within the body',
      (_request, socket) =>
        void socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"jsonrpc"'),
      /within the answer/,
    ],
    ['within a stream', (_request, socket) => void socket.end(SSE_HEAD + chunk('data: {"json')), /within the answer/],
  ])('with a request in flight %s is a lost stream', async (_name, handler, detail) => {
    let calls = 0;
    const server = await startRawServer(
      legacy((request, socket) => (++calls <= 3 ? handler(request, socket) : answerAll(request, socket))),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 3 }).open();
    expect(await probe.call(3)).toEqual(['stream_lost', 'stream_lost', 'stream_lost']);
    expect(probe.failures[0]?.detail).toMatch(detail);
    calls = 3;
    expect(await probe.call()).toEqual(['correct']);
    expect(probe.counters).toMatchObject({ connectionsOpened: 2, connectionsActive: 1 });
  });

  test('after an answer fails the requests that follow it', async () => {
    const server = await startRawServer(
      legacy(
        ({ message }, socket) =>
          void (message.id === 1_001_000_001 && socket.end(json(result(message.id), 'connection: close\r\n'))),
      ),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 3 }).open();
    expect(await probe.call(3)).toEqual(['correct', 'stream_lost', 'stream_lost']);
  });

  test('may mark the end of an answer without a length', async () => {
    const server = await startRawServer(
      legacy(
        ({ message }, socket) =>
          void socket.end(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(result(message.id))}`,
          ),
      ),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
  });

  test('and cannot be opened again is tried again with growing waits', async () => {
    const gateway = net.createServer(
      (socket) => void socket.on('data', () => socket.destroy()).on('error', () => undefined),
    );
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const probe = await new ChannelProbe(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}/mcp`, {
      pinned: MODERN,
    }).open();
    gateway.close();
    expect(await probe.call()).toEqual(['stream_lost']);
    for (const retry of [1, 2]) {
      await until('the wait to end', () => probe.channel.room === 1);
      expect(await probe.call()).toEqual(['connect']);
      expect(probe.channel.room).toBe(0);
      expect(probe.log.filter((entry) => entry === 'room').length).toBeGreaterThanOrEqual(retry);
    }
    expect(probe.lastFailure?.detail).toMatch(/ECONNREFUSED/);
  });

  test('is closed by the client after bytes that answer no request', async () => {
    const server = await startRawServer(
      legacy(({ message }, socket) => void socket.write(correct(message.id) + http('408 Request Timeout', ''))),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    await until('the connection to be closed', () => server.open === 0);
    expect(await probe.call()).toEqual(['correct']);
  });
});

describe('an abandoned request', () => {
  test('closes its connection when no other request waits there; the next request opens another', async () => {
    let silent = true;
    const server = await startRawServer(
      legacy((request, socket) => (silent ? undefined : answerAll(request, socket)), NO_SESSION),
    );
    const probe = await new ChannelProbe(server.url).open();
    const ticket = probe.sendUnflushed();
    probe.channel.flush();
    await until('the request to arrive', () => server.requests.length === 3);
    expect(probe.channel.room).toBe(0);
    probe.channel.abandon(ticket);
    await until('the connection to be closed', () => server.open === 0);
    expect(probe.outcomes[ticket]).toBe('waiting');
    expect(probe.log).toEqual(['room']);
    silent = false;
    expect(await probe.call()).toEqual(['correct']);
    expect(probe.counters).toMatchObject({ lateAnswers: 0, connectionsActive: 1 });
  });

  test('has its late answer dropped and counted where other requests wait on the connection', async () => {
    const held: (() => void)[] = [];
    const server = await startRawServer(
      legacy(({ message }, socket) => void held.push(() => socket.write(correct(message.id)))),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 2 }).open();
    const first = probe.sendUnflushed();
    const second = probe.sendUnflushed();
    probe.channel.flush();
    await until('both to arrive', () => held.length === 2);
    probe.channel.abandon(first);
    for (const answer of held) answer();
    await until('the second answer', () => probe.outcomes[second] === 'correct');
    expect(probe.outcomes[first]).toBe('waiting');
    expect(probe.channel.room).toBe(2);
    // The cancellation is sent beside the load.
    await until('the cancellation', () =>
      server.requests.some(({ message }) => message.method === 'notifications/cancelled'),
    );
    expect(server.requests.at(-1)?.message.params).toMatchObject({
      requestId: server.requests.find(({ message }) => message.method === 'tools/call')?.message.id,
    });
    expect(probe.counters).toMatchObject({ lateAnswers: 1, streams: { cancelled: 1 } });
    expect(server.connectionsOpened).toBe(2);
  });
});

describe('a stream', () => {
  test('that stays open delivers its answer at once and frees its room later', async () => {
    const server = await startRawServer(
      legacy(({ message }, socket) => void socket.write(SSE_HEAD + chunk(event(result(message.id))))),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(probe.channel.room).toBe(0);
    await until('the connection to be closed', () => probe.channel.room === 1);
    expect(probe.log).toEqual(['0 correct', 'room']);
    expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(2);
  });

  test('that ends shortly after its answer keeps its connection', async () => {
    const server = await startRawServer(
      legacy(
        ({ message }, socket) =>
          void socket.write(SSE_HEAD + chunk(event(result(message.id))), () =>
            setTimeout(
              () => socket.write(chunk(event({ jsonrpc: '2.0', method: 'notifications/message' })) + LAST_CHUNK),
              30,
            ),
          ),
      ),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    await until('room', () => probe.channel.room === 1);
    expect(await probe.call()).toEqual(['correct']);
    expect(server.connectionsOpened).toBe(1);
    expect(probe.counters.lateAnswers).toBe(0);
  });

  test('may carry requests of the server: ping is answered, all others are unsupported', async () => {
    const asked: RawRequest[] = [];
    const server = await startRawServer(
      legacy((request, socket) => {
        const { message } = request;
        if (message.method === undefined) {
          asked.push(request);
          socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');
          if (asked.length === 2) waiting?.();
          return;
        }
        socket.write(
          SSE_HEAD +
            chunk(
              event({ jsonrpc: '2.0', id: 'p', method: 'ping' }) +
                event({ jsonrpc: '2.0', id: 5, method: 'elicitation/create', params: {} }),
            ),
        );
        waiting = () => socket.write(chunk(event(result(message.id))) + LAST_CHUNK);
      }),
    );
    let waiting: (() => void) | undefined;
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(asked.map(({ message }) => message)).toEqual([
      { jsonrpc: '2.0', id: 'p', result: {} },
      { jsonrpc: '2.0', id: 5, error: { code: -32601, message: 'Method not found' } },
    ]);
    expect(asked[0]?.headers).toMatchObject({ 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' });
    await probe.close('delete');
    await until('the connections to be closed', () => server.open === 0);
  });
});

describe('connections that are closed on purpose', () => {
  test('are opened again at once in the same session; requests in flight count as aborted by us', async () => {
    let answers = true;
    const server = await startRawServer(
      legacy(({ message }, socket) => void (answers && socket.write(correct(message.id)))),
    );
    const probe = await new ChannelProbe(server.url, { connections: 3 }).open();
    answers = false;
    const tickets = [probe.sendUnflushed(), probe.sendUnflushed()];
    probe.channel.flush();
    await until('both requests to arrive', () => server.requests.length === 4);
    probe.channel.disconnect?.();
    expect(tickets.map((ticket) => probe.outcomes[ticket])).toEqual(['aborted_by_us', 'aborted_by_us']);
    await until('all three to be back', () => server.connectionsOpened === 6 && probe.counters.connectionsActive === 3);
    answers = true;
    expect(await probe.call(3)).toEqual(['correct', 'correct', 'correct']);
    expect(new Set(server.requests.slice(2).map(({ headers }) => headers['mcp-session-id']))).toEqual(
      new Set(['session-1']),
    );
    expect(server.requests.filter(({ message }) => message.method === 'initialize')).toHaveLength(1);
    expect(probe.closed).toBeUndefined();
  });
});

test('a slow reader reads its answer no faster than its rate', async () => {
  const server = await startRawServer(
    legacy(({ message }, socket) => void socket.write(correct(message.id, 'x'.repeat(4000)))),
  );
  const probe = await new ChannelProbe(server.url, { readBytesPerSecond: 8000 }).open();
  const startedAt = performance.now();
  expect(await probe.call()).toEqual(['correct']);
  // 4.1 kB at 8 kB/s, the last read not waited for: the lower bound is what the reader promises.
  expect(performance.now() - startedAt).toBeGreaterThan(350);
});

test('no more connections than the limit are opened at once, and all are opened', async () => {
  const server = await startRawServer(answerAll);
  const limiter = new ConnectLimiter(2);
  const probes = Array.from(
    { length: 9 },
    () => new ChannelProbe(server.url, { pinned: MODERN, connections: 2, limiter }),
  );
  await Promise.all(probes.map((probe) => probe.open()));
  expect(probes.every((probe) => probe.opened !== undefined)).toBe(true);
  // A connection is up for its client before its server has accepted it.
  await until('all 18 to be accepted', () => server.connectionsOpened === 18);
});

test('a connection that is no longer wanted makes room for the next', () => {
  const limiter = new ConnectLimiter(1);
  const begun: string[] = [];
  const acquire = (name: string, isWanted: boolean): void =>
    limiter.acquire({
      begin() {
        if (isWanted) begun.push(name);
        return isWanted;
      },
    });
  acquire('first', true);
  acquire('gone', false);
  acquire('second', true);
  expect(begun).toEqual(['first']);
  limiter.release();
  expect(begun).toEqual(['first', 'second']);
});
