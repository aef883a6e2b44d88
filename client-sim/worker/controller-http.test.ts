import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { ControllerHttp, ControllerUnreachable } from './controller-http.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(listener: RequestListener): Promise<{ readonly http: ControllerHttp; readonly server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = new ControllerHttp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`);
  cleanups.push(async () => {
    await http.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { http, server };
}

test('posts JSON with the token below the base path, and reuses its connections', async () => {
  const requests: unknown[] = [];
  let connections = 0;
  const { http, server } = await serve((request, response) => {
    const { authorization, 'content-type': type, 'content-length': length } = request.headers;
    requests.push({ url: request.url, authorization, type, length });
    response.writeHead(201).end('{"a":1}');
  });
  server.on('connection', () => connections++);
  for (let call = 0; call < 10; call++)
    expect(await http.post('/workers', '{"ü":2}', 'secret', 1_000)).toEqual({ status: 201, body: { a: 1 } });
  expect(requests[0]).toEqual({
    url: '/base/workers',
    authorization: 'Bearer secret',
    type: 'application/json',
    length: '8',
  });
  // A call that follows at once may open a second connection, because the first is not free yet.
  expect(connections).toBeLessThanOrEqual(2);
});

test('an answer that is not JSON has its status only', async () => {
  const { http } = await serve((_request, response) => void response.writeHead(502).end('<html>'));
  expect(await http.post('/workers', '{}', undefined, 1_000)).toEqual({ status: 502, body: undefined });
});

test.each<[string, RequestListener]>([
  ['no head', () => undefined],
  ['no end of the body', (_request, response) => void response.writeHead(200).write('{')],
])('a post that gets %s in time fails', async (_, listener) => {
  const { http } = await serve(listener);
  const post = http.post('/workers', '{}', undefined, 100);
  await expect(post).rejects.toThrow(ControllerUnreachable);
  await expect(post).rejects.toThrow(/workers: no answer within 100 ms$/);
});

test('nothing listens: the controller is unreachable', async () => {
  const http = new ControllerHttp('http://127.0.0.1:1');
  cleanups.push(() => http.close());
  await expect(http.post('/workers', '{}', undefined, 1_000)).rejects.toThrow(
    /^controller http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  );
});

test('a stream lasts beside posts until it is aborted', async () => {
  const { http } = await serve((request, response) => {
    response.writeHead(200);
    if (request.method === 'GET') response.write(': connected\n\n');
    else response.end('{}');
  });
  const abort = new AbortController();
  const { body } = await http.stream('/orders', {}, undefined, abort.signal);
  body.setEncoding('utf8');
  const read = (async () => {
    let text = '';
    try {
      for await (const piece of body) text += String(piece);
    } catch (error) {
      return { text, error };
    }
    return { text };
  })();
  expect(await http.post('/workers', '{}', undefined, 1_000)).toMatchObject({ status: 200 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const reason = new Error('over');
  abort.abort(reason);
  expect(await read).toEqual({ text: ': connected\n\n', error: reason });
});

test('closing cuts what is open', async () => {
  const { http } = await serve(() => undefined);
  const post = http.post('/workers', '{}', undefined, 10_000);
  const outcome = expect(post).rejects.toThrow(ControllerUnreachable);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await http.close();
  await outcome;
});

test('only http and https are taken', () => {
  expect(() => new ControllerHttp('ftp://127.0.0.1')).toThrow(TypeError);
});
