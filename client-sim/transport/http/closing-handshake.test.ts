import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  event,
  http,
  json,
  LAST_CHUNK,
  type RawHandler,
  type RawRequest,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';

/** Servers that end the connection after an answer, as Python's http.server does after each, announced or not. */
type Closing = (answer: { readonly message: unknown | undefined }, socket: Socket) => void;

/** @param message undefined: a message of the client is only acknowledged */
function bytesOf(message: unknown | undefined, headers = ''): string {
  return message === undefined ? http('202 Accepted', '', headers) : json(message, headers);
}

const closings: readonly (readonly [string, Closing])[] = [
  [
    'announced',
    ({ message }, socket) => void socket.end(bytesOf(message, `connection: close\r\nmcp-session-id: s\r\n`)),
  ],
  [
    'announced, but left open',
    ({ message }, socket) => void socket.write(bytesOf(message, `connection: close\r\nmcp-session-id: s\r\n`)),
  ],
  [
    'of HTTP/1.0, with a length',
    ({ message }, socket) => void socket.end(bytesOf(message, 'mcp-session-id: s\r\n').replace('HTTP/1.1', 'HTTP/1.0')),
  ],
  [
    'of HTTP/1.0, as the end of the answer',
    ({ message }, socket) =>
      void socket.end(
        message === undefined
          ? 'HTTP/1.0 202 Accepted\r\n\r\n'
          : `HTTP/1.0 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s\r\n\r\n${JSON.stringify(message)}`,
      ),
  ],
  [
    'after a stream of events',
    ({ message }, socket) => {
      if (message === undefined) return void socket.end(ACCEPTED);
      socket.write(
        SSE_HEAD.replace('\r\n\r\n', '\r\nconnection: close\r\nmcp-session-id: s\r\n\r\n') + chunk(event(message)),
      );
      setTimeout(() => socket.end(LAST_CHUNK), 20);
    },
  ],
];

function messageFor({ message: { id, method } }: RawRequest): unknown | undefined {
  if (method === 'notifications/initialized') return undefined;
  return method === 'initialize'
    ? {
        jsonrpc: '2.0',
        id,
        result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'raw', version: '1' } },
      }
    : result(id);
}

describe.each(closings)('a connection whose end is %s', (_how, close) => {
  test.each([['initialize'], ['notifications/initialized'], ['tools/call'], [undefined]])(
    'after the answer to %s is replaced, and the session opens and works',
    async (method) => {
      const server = await startRawServer((request, socket) => {
        const message = request.verb === 'DELETE' ? {} : messageFor(request);
        if (method === undefined || request.message.method === method) return close({ message }, socket);
        socket.write(bytesOf(message, 'mcp-session-id: s\r\n'));
      });
      const probe = await new ChannelProbe(server.url).open();
      for (let round = 0; round < 3; round++) expect(await probe.call()).toEqual(['correct']);
      await probe.close('delete');
      const asked = server.requests.map((request) => request.message.method ?? request.verb);
      expect(asked).toEqual([
        'initialize',
        'notifications/initialized',
        'tools/call',
        'tools/call',
        'tools/call',
        'DELETE',
      ]);
    },
  );
});

test.each([['initialize'], ['notifications/initialized']])(
  'an end that was not announced, after the answer to %s, is noticed by what crosses it, which is sent again',
  async (method) => {
    const server = await startRawServer((request, socket) => {
      socket.write(bytesOf(request.verb === 'DELETE' ? {} : messageFor(request), 'mcp-session-id: s\r\n'));
      if (request.message.method === method) socket.end();
    });
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(server.requests.filter((request) => request.message.method === 'initialize')).toHaveLength(1);
  },
);

test('a first request whose connection ends without an answer is not repeated', async () => {
  const server = await startRawServer((_request, socket) => void socket.end());
  const probe = new ChannelProbe(server.url);
  probe.channel.open();
  await until('the session to be refused', () => probe.openFailure !== undefined);
  expect(probe.openFailure?.detail).toMatch(/before the answer/);
  expect(server.requests).toHaveLength(1);
});

test('a stream that stays open after its answer does not hold up the handshake', async () => {
  const handler: RawHandler = (request, socket) => {
    const message = messageFor(request);
    if (request.message.method !== 'initialize') return void socket.write(bytesOf(message));
    socket.write(SSE_HEAD + chunk(event(message)));
  };
  const server = await startRawServer(handler);
  const probe = await new ChannelProbe(server.url).open();
  expect(await probe.call()).toEqual(['correct']);
  expect(server.connectionsOpened).toBe(2);
});

describe('over HTTP+SSE, POSTs whose connections end', () => {
  test.each<[string, string, boolean]>([
    ['as announced', 'HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', true],
    ['as announced, but left open', 'HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', false],
    ['unannounced', ACCEPTED, true],
    ['with HTTP/1.0', 'HTTP/1.0 202 Accepted\r\n\r\n', true],
  ])('%s do not end the session', async (_how, accepted, ends) => {
    let stream: Socket | undefined;
    const server = await startRawServer((request, socket) => {
      if (request.verb === 'GET') {
        stream = socket;
        socket.write(SSE_HEAD + chunk('event: endpoint\ndata: /messages?session=1\n\n'));
        return;
      }
      const message = messageFor(request);
      // The answer overtakes the 202 of its request, and what follows it is sent behind that request.
      if (message !== undefined) stream?.write(chunk(event(message)));
      setTimeout(() => {
        socket.write(accepted);
        // A call that crosses an end which was not announced is lost: only the session's own messages are sent again.
        if (ends && (accepted !== ACCEPTED || request.message.method !== 'tools/call')) socket.end();
      }, 10);
    });
    const probe = await new ChannelProbe(server.url, { transport: 'sse' }).open();
    for (let round = 0; round < 3; round++) expect(await probe.call()).toEqual(['correct']);
    await until('the handshake to be complete', () =>
      server.requests.some(({ message }) => message.method === 'notifications/initialized'),
    );
    expect(server.requests.filter(({ message }) => message.method === 'initialize')).toHaveLength(1);
  });
});
