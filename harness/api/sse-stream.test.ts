import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import express from 'express';
import { lastEventId, SseStream } from './sse-stream.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(
  act: (stream: SseStream) => void,
  limits: ConstructorParameters<typeof SseStream>[1],
): Promise<number> {
  const server = createServer(express().get('/', (_request, response) => act(new SseStream(response, limits))));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const limits = { keepAliveMs: 30, bufferedBytes: 1024, slowestReadMs: 100 };

test('events carry number, type and data, and comments keep a quiet stream alive', async () => {
  const port = await serve((stream) => {
    stream.send(7, 'stage.started', { stage: 1 });
    setTimeout(() => stream.end(), 100);
  }, limits);
  const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(text).toMatch(/^: connected\n\nid: 7\nevent: stage\.started\ndata: {"stage":1}\n\n(: keep-alive\n\n)+$/);
});

test('a client that does not read is dropped, whether or not the sender waits for room', async () => {
  for (const patient of [true, false]) {
    const gone = new Promise<void>((resolve) => {
      void serve(async (stream) => {
        stream.signal.addEventListener('abort', () => resolve());
        // More than fits into socket buffers.
        for (let id = 1; id < 2000 && !stream.signal.aborted; id += 1) {
          stream.send(id, 'usage', 'x'.repeat(64 * 1024));
          if (patient) await stream.room();
          else await new Promise(setImmediate);
        }
      }, limits).then((port) =>
        connect(port, '127.0.0.1')
          .on('error', () => undefined)
          .pause()
          .write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      );
    });
    await gone;
  }
});

test.each([
  ['12', 12],
  [undefined, 0],
  ['', 0],
  ['-3', 0],
  ['abc', 0],
  ['1e99', 0],
])('Last-Event-ID %j is %d', (header, id) => {
  expect(lastEventId(header)).toBe(id);
});
