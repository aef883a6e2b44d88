import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { ChannelProbe, COUNTED } from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  event,
  http,
  LAST_CHUNK,
  type RawRequest,
  type RawServer,
  result,
  SSE_HEAD,
  startRawServer,
  writeForever,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';
import { negotiate } from '../../preflight/negotiate.js';

/**
 * Handles one request of the load: `send` puts an event on the session's stream, `post` answers the POST.
 */
type Act = (
  request: RawRequest,
  send: (message: unknown) => void,
  post: (answer: string) => void,
  stream: Socket,
) => void;

const INITIALIZE_RESULT = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  serverInfo: { name: 'raw', version: '1' },
};
const answerAll: Act = ({ message }, send, post) => {
  post(ACCEPTED);
  send(result(message.id));
};

/** A server that does the handshake correctly; the test handles all other requests. */
async function serve(
  act: Act,
  endpoint = (session: number) => `/messages?sessionId=${session}`,
): Promise<RawServer & { readonly sse: string }> {
  const streams: Socket[] = [];
  const server = await startRawServer((request, socket) => {
    if (request.verb === 'GET') {
      streams.push(socket);
      return void socket.write(SSE_HEAD + chunk(`event: endpoint\ndata: ${endpoint(streams.length - 1)}\n\n`));
    }
    const stream = streams[Number(new URL(request.path, 'http://x').searchParams.get('sessionId'))];
    if (stream === undefined) return void socket.write(http('404 Not Found', 'Session not found'));
    const send = (message: unknown): void => void stream.write(chunk(event(message)));
    const post = (answer: string): void => void socket.write(answer);
    const { id, method } = request.message;
    if (method === 'initialize') {
      post(ACCEPTED);
      send({ jsonrpc: '2.0', id, result: INITIALIZE_RESULT });
    } else if (id === undefined) post(ACCEPTED);
    else act(request, send, post, stream);
  });
  return Object.assign(server, { sse: server.url.replace('/mcp', '/sse') });
}

async function open(
  server: { readonly sse: string },
  options: ConstructorParameters<typeof ChannelProbe>[1] = {},
): Promise<ChannelProbe> {
  return new ChannelProbe(server.sse, { transport: 'sse', ...options }).open();
}

describe('a session over HTTP+SSE', () => {
  test('posts each message to the address from the server, and reads answers in any order', async () => {
    const held: (() => void)[] = [];
    const server = await serve(({ message }, send, post) => {
      post(ACCEPTED);
      held.push(() => send(result(message.id)));
      if (held.length === 4) for (const answer of held.splice(0).reverse()) answer();
    });
    const probe = await open(server, { connections: 2, pipeline: 2, headers: { authorization: 'Bearer t' } });
    expect(probe.openFailure).toBeUndefined();
    for (let round = 0; round < 20; round++) expect(await probe.call(4, COUNTED)).toEqual(new Array(4).fill('correct'));
    const posts = server.requests.filter(({ verb }) => verb === 'POST');
    expect(new Set(posts.map(({ path }) => path))).toEqual(new Set(['/messages?sessionId=0']));
    expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t']));
    expect(server.requests[0]).toMatchObject({ verb: 'GET', path: '/sse', headers: { accept: 'text/event-stream' } });
    // initialize, initialized and 80 calls; one answer each but for the notification.
    expect(probe.counters).toMatchObject({ messagesSent: 82, messagesReceived: 81, lateAnswers: 0 });
    await probe.close('delete');
    await until('every connection to be closed', () => server.open === 0);
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test('an answer may come before the 202 of its request', async () => {
    const server = await serve(({ message }, send, post) => {
      send(result(message.id));
      setTimeout(() => post(ACCEPTED), 20);
    });
    const probe = await open(server);
    for (let round = 0; round < 5; round++) expect(await probe.call()).toEqual(['correct']);
  });

  test('requests of the server are answered', async () => {
    const server = await serve(({ message }, send, post) => {
      post(ACCEPTED);
      send({ jsonrpc: '2.0', id: 'x', method: 'ping' });
      send(result(message.id));
    });
    const probe = await open(server);
    expect(await probe.call()).toEqual(['correct']);
    await until('the answer to the ping', () =>
      server.requests.some(({ body }) => body.includes('"id":"x"') && body.includes('"result"')),
    );
  });

  test('preflight works over it', async () => {
    const server = await serve(answerAll);
    const found = await negotiate({ url: server.sse, headers: {} }, 'legacy', { transport: 'sse' });
    expect(found).toMatchObject({ ok: true, pinned: { era: 'legacy', version: '2025-11-25' } });
    expect(await found.session.request('ping')).toMatchObject({ failure: undefined });
    await found.session.close();
    await until('its connections to be closed', () => server.open === 0);
  });
});

describe('a session cannot be opened when', () => {
  test.each([['nothing listens', 'http://127.0.0.1:1/sse', 'connect']])('%s', async (_name, url, category) => {
    expect((await open({ sse: url })).openFailure?.category).toBe(category);
  });

  test.each([
    ['401 to GET', 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n', 'http_401'],
    ['JSON to GET', http('200 OK', '{}', 'content-type: application/json\r\n'), 'protocol_violation'],
    ['a stream that ends at once', SSE_HEAD + LAST_CHUNK, 'stream_lost'],
    [
      'an endpoint at another server',
      SSE_HEAD + chunk('event: endpoint\ndata: http://127.0.0.2:1/m\n\n'),
      'protocol_violation',
    ],
    ['no endpoint', SSE_HEAD, 'connect'],
  ])('%s', async (_name, answer, category) => {
    const server = await startRawServer((_request, socket) => void socket.write(answer));
    const probe = await open({ sse: server.url }, { openTimeoutMs: 300 });
    expect(probe.openFailure?.category).toBe(category);
    await until('its connections to be closed', () => server.open === 0);
  });

  test('POST is refused', async () => {
    const server = await startRawServer(
      ({ verb }, socket) =>
        void socket.write(verb === 'GET' ? SSE_HEAD + chunk('event: endpoint\ndata: /m\n\n') : http('500 Oops', '')),
    );
    expect((await open({ sse: server.url })).openFailure?.category).toBe('http_500');
  });
});

describe('a server that misbehaves', () => {
  test('closes the stream within an answer: all requests in flight and the session are lost', async () => {
    const server = await serve(({ message }, _say, post, stream) => {
      post(ACCEPTED);
      stream.write(chunk(event(result(message.id)).slice(0, 30)));
      setTimeout(() => stream.destroy(), 10);
    });
    const probe = await open(server, { pipeline: 2 });
    expect(await probe.call(2)).toEqual(['stream_lost', 'stream_lost']);
    await until('the session to be lost', () => probe.closed === 'lost');
    await until('every connection to be closed', () => server.open === 0);
  });

  test('refuses one request: only that one fails, with its answer in the sample', async () => {
    let calls = 0;
    const server = await serve((request, send, post, stream) =>
      ++calls === 1
        ? post(http('429 Slow Down', 'later', 'retry-after: 2\r\n'))
        : answerAll(request, send, post, stream),
    );
    const probe = await open(server);
    expect(await probe.call()).toEqual(['http_429']);
    expect(probe.lastFailure).toMatchObject({
      retryAfterMs: 2000,
      sample: { response: expect.stringContaining('later') },
    });
    expect(await probe.call()).toEqual(['correct']);
  });

  test('forgets the session', async () => {
    const server = await serve((_request, _say, post) => post(http('404 Not Found', 'Session not found')));
    const probe = await open(server);
    expect(await probe.call()).toEqual(['session_lost']);
    expect(probe.closed).toBe('lost');
  });

  test('never ends an event: memory is bounded, and the session is lost', async () => {
    const server = await serve((_request, _say, post, stream) => {
      post(ACCEPTED);
      stream.write(chunk('data: '));
      writeForever(stream, chunk('x'.repeat(1_000_000)));
    });
    const probe = await open(server);
    expect(await probe.call()).toEqual(['answer_limit']);
    expect(probe.lastFailure?.detail).toContain('an event of more than');
    expect(probe.counters.bytesReceived).toBeLessThan(40_000_000);
    await until('the stream to be closed', () => server.open === 0);
  }, 30_000);

  test.each([
    ['garbage', (): unknown => 'no { json', 'protocol_violation'],
    ['an answer to no request', (): unknown => result(7), 'protocol_violation'],
    [
      'an error',
      (id?: number): unknown => ({ jsonrpc: '2.0', id, error: { code: -32603, message: 'no' } }),
      'rpc_-32603',
    ],
  ])('says %s', async (_name, message, category) => {
    const server = await serve((request, send, post) => {
      post(ACCEPTED);
      send(message(request.message.id));
    });
    const probe = await open(server);
    expect(await probe.call()).toEqual([category]);
  });

  test('never answers: the client abandons the request, and a late answer counts as late', async () => {
    let late: (() => void) | undefined;
    const server = await serve(({ message }, send, post, stream) => {
      post(ACCEPTED);
      if (late === undefined) late = () => send(result(message.id));
      else answerAll({ message } as RawRequest, send, () => undefined, stream);
    });
    const probe = await open(server);
    const ticket = probe.sendUnflushed();
    probe.channel.flush();
    await until('it to arrive', () => late !== undefined);
    probe.channel.abandon(ticket);
    probe.outcomes[ticket] = 'timeout';
    late?.();
    await until('the late answer', () => probe.counters.lateAnswers === 1);
    expect(await probe.call()).toEqual(['correct']);
  });
});
