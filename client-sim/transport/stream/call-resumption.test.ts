import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  correct,
  event,
  http,
  LAST_CHUNK,
  legacy,
  type RawRequest,
  type RawServer,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';

type Answer = (request: RawRequest, socket: Socket) => void;
/** @param nth of all GETs, from 0 @param call id of the last call */
type Stream = (request: RawRequest, socket: Socket, nth: number, call: number) => void;

function server(call: Answer, stream: Stream): Promise<RawServer> {
  let streams = 0;
  let last = -1;
  return startRawServer(
    legacy((request, socket) => {
      if (request.verb === 'GET') return stream(request, socket, streams++, last);
      if (request.message.method !== 'tools/call') return void socket.write(ACCEPTED);
      last = request.message.id ?? -1;
      call(request, socket);
    }),
  );
}

function primed(id: string, retryMs = 1): string {
  return chunk(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`);
}
/** Ends the stream properly, as SEP-1699 describes. */
const closes: Answer = (_request, socket) => void socket.write(SSE_HEAD + primed('e-0') + LAST_CHUNK);
const answers: Stream = (_request, socket, _nth, call) =>
  void socket.write(SSE_HEAD + chunk(event(result(call))) + LAST_CHUNK);
function gets({ requests }: RawServer): readonly RawRequest[] {
  return requests.filter(({ verb }) => verb === 'GET');
}

describe('a call whose stream ends before its answer', () => {
  test.each<[string, Answer]>([
    ['closed in good order', closes],
    ['cut off', (_request, socket) => void socket.end(SSE_HEAD + primed('e-0'))],
    [
      'cut off within the answer',
      ({ message }, socket) =>
        void socket.end(SSE_HEAD + primed('e-0') + chunk(`id: e-1\n${event(result(message.id)).slice(0, -1)}`)),
    ],
  ])('%s: is answered by GET with the id of the last whole event', async (_, call) => {
    const target = await server(call, answers);
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['correct']);
    expect(
      gets(target).map(({ headers }) => [
        headers['last-event-id'],
        headers['mcp-session-id'],
        headers['mcp-protocol-version'],
      ]),
    ).toEqual([['e-0', 'session-1', '2025-11-25']]);
    expect(probe.counters.streams).toMatchObject({ callsBroken: 1, callsResumed: 1, opened: 0, resumed: 0, lost: 0 });
    expect(probe.failures).toEqual([undefined]);
    expect(await probe.call(1)).toEqual(['correct']);
    await probe.close();
    await until('no connection to be left', () => target.open === 0);
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test('waits as long as the server asked for last', async () => {
    const at: number[] = [];
    const target = await server(
      (_request, socket) => {
        at.push(performance.now());
        socket.write(SSE_HEAD + primed('e-0', 300) + LAST_CHUNK);
      },
      (request, socket, nth, call) => {
        at.push(performance.now());
        if (nth === 0) socket.write(SSE_HEAD + primed('e-1', 150) + LAST_CHUNK);
        else answers(request, socket, nth, call);
      },
    );
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['correct']);
    const [called = 0, first = 0, second = 0] = at;
    // Timers of Node may fire up to one millisecond early.
    expect(first - called).toBeGreaterThanOrEqual(299);
    expect(second - first).toBeGreaterThanOrEqual(149);
    expect(gets(target).map(({ headers }) => headers['last-event-id'])).toEqual(['e-0', 'e-1']);
  });

  test('receives on the following streams what it would have received on its own', async () => {
    const target = await server(closes, (_request, socket, nth, call) => {
      if (nth === 0)
        socket.write(
          SSE_HEAD +
            chunk(
              `id: e-1\n${event({
                jsonrpc: '2.0',
                method: 'notifications/progress',
                params: { progressToken: 1, progress: 1 },
              })}`,
            ) +
            chunk(event({ jsonrpc: '2.0', id: 'ask', method: 'ping' })) +
            LAST_CHUNK,
        );
      else socket.write(SSE_HEAD + chunk(event({ jsonrpc: '2.0', id: call, result: { content: [], isError: true } })));
    });
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['tool_error']);
    expect(probe.counters.streams).toMatchObject({ progress: 1, serverRequests: 1, callsBroken: 1, callsResumed: 1 });
    expect(gets(target).map(({ headers }) => headers['last-event-id'])).toEqual(['e-0', 'e-1']);
    expect(probe.lastFailure?.sample?.response).toContain('isError');
    await until('the answer to the server', () => target.requests.some(({ message }) => 'result' in message));
  });

  test('does not delay the other calls of its connection', async () => {
    let calls = 0;
    const target = await server(
      (request, socket) => {
        if (calls++ === 0) closes(request, socket);
        else socket.write(correct(request.message.id));
      },
      () => undefined,
    );
    const probe = await new ChannelProbe(target.url).open();
    probe.sendUnflushed();
    probe.channel.flush();
    await until('its stream to be requested', () => gets(target).length === 1);
    expect(await probe.call(1)).toEqual(['correct']);
    expect(probe.outcomes).toEqual(['waiting', 'correct']);
    expect(target.requests.filter(({ verb }) => verb === 'POST').every(({ connection }) => connection === 1)).toBe(
      true,
    );
  });
});

describe('a call stays stream_lost', () => {
  test('where the server does not number its events, and nothing more is requested', async () => {
    const target = await server(
      (_request, socket) => void socket.write(SSE_HEAD + chunk(': alive\n\nretry: 1\n\n') + LAST_CHUNK),
      answers,
    );
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['stream_lost']);
    expect(gets(target)).toEqual([]);
    expect(probe.counters.streams).toMatchObject({ callsBroken: 0, callsResumed: 0 });
  });

  test.each<[string, number, Stream, string]>([
    ['when it is refused', 1, (_request, socket) => void socket.write(http('400 Bad Request', '')), 'HTTP 400'],
    [
      'when the server has no such stream',
      1,
      (_request, socket) => void socket.write(http('405 Method Not Allowed', '')),
      'HTTP 405',
    ],
    [
      'when the session is not known',
      1,
      (_request, socket) => void socket.write(http('404 Not Found', '')),
      'the server no longer knows the session',
    ],
    [
      'after four failed attempts in a row',
      4,
      (_request, socket, nth) =>
        void (nth % 2 === 0 ? socket.write(http('503 Service Unavailable', '')) : socket.destroy()),
      'could not be resumed',
    ],
  ])('%s', async (_, asked, stream, text) => {
    const target = await server(closes, stream);
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['stream_lost']);
    expect(probe.lastFailure?.detail).toContain(text);
    expect(gets(target)).toHaveLength(asked);
    expect(probe.counters.streams).toMatchObject({ callsBroken: 1, callsResumed: 0 });
    // The session goes on.
    expect(probe.closed).toBeUndefined();
  });

  test('when none of very many streams has the answer', async () => {
    const target = await server(
      closes,
      (_request, socket) => void socket.write(SSE_HEAD + chunk('retry: 0\n\n') + LAST_CHUNK),
    );
    const probe = await new ChannelProbe(target.url).open();
    expect(await probe.call(1)).toEqual(['stream_lost']);
    expect(gets(target)).toHaveLength(64);
  });
});

describe('an abandoned call', () => {
  test('is cancelled, and its stream is not requested again', async () => {
    const target = await server(closes, (_request, socket) => void socket.write(SSE_HEAD));
    const probe = await new ChannelProbe(target.url).open();
    const ticket = probe.sendUnflushed();
    probe.channel.flush();
    await until('its stream', () => gets(target).length === 1 && target.open === 2);
    probe.channel.abandon(ticket);
    await until('the cancellation', () =>
      target.requests.some(({ message }) => message.method === 'notifications/cancelled'),
    );
    await until('its stream to be closed', () => target.open === 2 && probe.counters.connectionsActive === 2);
    expect(probe.outcomes).toEqual(['waiting']);
    await probe.close();
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test('is answered with the end of its session', async () => {
    const target = await server(closes, () => undefined);
    const probe = await new ChannelProbe(target.url).open();
    probe.sendUnflushed();
    probe.channel.flush();
    await until('its stream to be requested', () => gets(target).length === 1);
    await probe.close();
    expect(probe.outcomes).toEqual(['aborted_by_us']);
    expect(probe.log.at(-1)).toBe('closed');
  });
});
