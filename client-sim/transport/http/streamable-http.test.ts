import { describe, expect, test } from '@jest/globals';
import {
  ChannelProbe,
  COUNTED,
  ECHO,
  LEGACY,
  MODERN,
  WITH_FOREIGN_NAME,
} from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  correct,
  event,
  http,
  json,
  LAST_CHUNK,
  legacy,
  NO_SESSION,
  type RawHandler,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';

const answerAll: RawHandler = ({ message }, socket) => void socket.write(correct(message.id));

describe('a session', () => {
  test('initializes, calls and ends with DELETE, as the session era requires', async () => {
    const server = await startRawServer(legacy(answerAll));
    const probe = await new ChannelProbe(server.url, {
      headers: { Authorization: 'Bearer secret', 'X-Tenant': 'a' },
    }).open();
    expect(probe.opened).toBeGreaterThan(0);
    expect(await probe.call()).toEqual(['correct']);
    await probe.close('delete');

    const [initialize, initialized, call, end] = server.requests;
    expect(server.requests).toHaveLength(4);
    const common = {
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer secret',
      'x-tenant': 'a',
      host: new URL(server.url).host,
    };
    expect(initialize).toMatchObject({
      verb: 'POST',
      path: '/mcp',
      headers: { ...common, 'content-type': 'application/json' },
      message: {
        jsonrpc: '2.0',
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'swarmbench' } },
      },
    });
    expect(Object.keys(initialize?.headers ?? {})).not.toContain('mcp-session-id');
    const session = { ...common, 'mcp-session-id': 'session-1', 'mcp-protocol-version': '2025-11-25' };
    expect(initialized).toMatchObject({
      headers: session,
      message: { jsonrpc: '2.0', method: 'notifications/initialized' },
    });
    expect(initialized?.message).not.toHaveProperty('id');
    expect(call).toMatchObject({
      headers: session,
      message: { id: 1_001_000_001, method: 'tools/call', params: { name: 'echo' } },
    });
    expect(Object.keys(call?.headers ?? {})).not.toContain('mcp-method');
    expect(end).toMatchObject({ verb: 'DELETE', headers: session });
    expect(new Set(server.requests.map(({ connection }) => connection)).size).toBe(1);
    expect(probe.counters).toMatchObject({
      connectionsOpened: 1,
      connectionsActive: 0,
      messagesSent: 3,
      messagesReceived: 1,
    });
  });

  test('uses the version that the server chose', async () => {
    const server = await startRawServer((request, socket) => {
      if (request.message.method === 'initialize')
        socket.write(json({ jsonrpc: '2.0', id: request.message.id, result: { protocolVersion: '2025-03-26' } }));
      else if (request.message.method === 'notifications/initialized') socket.write(ACCEPTED);
      else answerAll(request, socket);
    });
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(server.requests[2]?.headers).toMatchObject({ 'mcp-protocol-version': '2025-03-26' });
    await probe.close('delete');
    // A server without sessions gets no DELETE.
    expect(server.requests).toHaveLength(3);
  });

  test('needs no handshake in the stateless era, and names method and target in headers', async () => {
    const read = { contents: [{ uri: 'bench://größe', text: 'fine' }] };
    const server = await startRawServer((request, socket) => {
      const { id, method } = request.message;
      if (method !== 'resources/read') return answerAll(request, socket);
      socket.write(json({ jsonrpc: '2.0', id, result: read }));
    });
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    expect(await probe.call(1, ECHO)).toEqual(['correct']);
    expect(await probe.call(1, WITH_FOREIGN_NAME)).toEqual(['correct']);
    await probe.close('delete');
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]).toMatchObject({
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
      message: {
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      },
    });
    expect(Object.keys(server.requests[0]?.headers ?? {})).not.toContain('mcp-session-id');
    expect(server.requests[1]?.headers['mcp-name']).toBe(
      `=?base64?${Buffer.from('bench://größe').toString('base64')}?=`,
    );
  });

  test('may get the answer to initialize on an event stream, after notifications', async () => {
    const server = await startRawServer((request, socket) => {
      if (request.message.method !== 'initialize') return legacy(answerAll)(request, socket);
      const hello = { jsonrpc: '2.0', id: request.message.id, result: { protocolVersion: '2025-11-25' } };
      const head = SSE_HEAD.replace('\r\n\r\n', '\r\nmcp-session-id: streamed\r\n\r\n');
      socket.write(
        head +
          chunk('id: 1\ndata: \n\n') +
          chunk(event({ jsonrpc: '2.0', method: 'notifications/message' })) +
          chunk(event(hello)) +
          LAST_CHUNK,
      );
    });
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(server.requests[2]?.headers['mcp-session-id']).toBe('streamed');
  });

  test.each<[string, RawHandler, string, RegExp]>([
    [
      'an error status',
      (_request, socket) => void socket.write(http('503 Busy', '', 'retry-after: 3\r\n')),
      'http_503',
      /HTTP 503/,
    ],
    ['credentials wanted', (_request, socket) => void socket.write(http('401 Unauthorized', '')), 'http_401', /401/],
    [
      'a JSON-RPC error',
      ({ message }, socket) =>
        void socket.write(json({ jsonrpc: '2.0', id: message.id, error: { code: -32603, message: 'no' } })),
      'rpc_-32603',
      /no/,
    ],
    [
      'an unknown version',
      ({ message }, socket) =>
        void socket.write(json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '1999-01-01' } })),
      'protocol_violation',
      /1999-01-01/,
    ],
    [
      'a page',
      (_request, socket) => void socket.write(http('200 OK', '<html>', 'content-type: text/html\r\n')),
      'protocol_violation',
      /text\/html/,
    ],
    ['a closed connection', (_request, socket) => void socket.end(), 'stream_lost', /closed/],
    ['silence', () => undefined, 'timeout', /handshake within 300 ms/],
    [
      'a refused notification',
      (request, socket) =>
        request.message.method === 'initialize'
          ? legacy(answerAll)(request, socket)
          : void socket.write(http('400 Bad', '')),
      'http_400',
      /initialized/,
    ],
  ])('does not open on %s', async (_name, handler, category, detail) => {
    const server = await startRawServer(handler);
    const probe = await new ChannelProbe(server.url, { openTimeoutMs: 300 }).open();
    expect(probe.opened).toBeUndefined();
    expect(probe.openFailure?.category).toBe(category);
    expect(probe.openFailure?.detail).toMatch(detail);
    if (category === 'http_503') expect(probe.openFailure?.retryAfterMs).toBe(3000);
    expect(probe.channel.room).toBe(0);
    await until('its sockets to be closed', () => server.open === 0);
  });

  test('does not open where nothing listens', async () => {
    const server = await startRawServer(answerAll);
    const unused = server.url.replace(/:\d+/, ':1');
    const probe = await new ChannelProbe(unused).open();
    expect(probe.openFailure).toMatchObject({ category: 'connect', detail: expect.stringMatching(/ECONNREFUSED/) });
    expect(probe.counters).toMatchObject({ connectionsOpened: 0, connectionsActive: 0 });
  });
});

describe('an answer is judged:', () => {
  const rest = 'x'.repeat(70_000);
  test.each<[string, string, (id: number) => string | readonly string[]]>([
    ['JSON', 'correct', (id) => correct(id)],
    [
      'JSON in chunks',
      'correct',
      (id) => [
        'HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
        ...cut(JSON.stringify(result(id)), 7).map(chunk),
        LAST_CHUNK,
      ],
    ],
    ['JSON larger than the read buffer', 'correct', (id) => correct(id, rest)],
    ['JSON one byte at a time', 'correct', (id) => cut(correct(id, 'größe €'), 1)],
    ['an event stream', 'correct', (id) => SSE_HEAD + chunk(event(result(id))) + LAST_CHUNK],
    [
      'an event stream one byte at a time',
      'correct',
      (id) => cut(SSE_HEAD + chunk('data: \n\n') + chunk(event(result(id, 'größe'))) + LAST_CHUNK, 1),
    ],
    ['a large event', 'correct', (id) => SSE_HEAD + chunk(event(result(id, rest))) + LAST_CHUNK],
    [
      'the priming event, notifications, comments',
      'correct',
      (id) =>
        SSE_HEAD +
        chunk('id: 1\ndata: \n\n: hello\n\n') +
        chunk(event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} }) + event(result(id))) +
        LAST_CHUNK,
    ],
    [
      'an event of another type',
      'stream_lost',
      (id) => SSE_HEAD + chunk(`event: other\ndata: ${JSON.stringify(result(id))}\n\n`) + LAST_CHUNK,
    ],
    [
      'a stream without the answer',
      'stream_lost',
      () => SSE_HEAD + chunk(event({ jsonrpc: '2.0', method: 'notifications/progress' })) + LAST_CHUNK,
    ],
    ['a stream with another id', 'crossed', (id) => SSE_HEAD + chunk(event(result(id + 1))) + LAST_CHUNK],
    [
      'a stream with broken JSON',
      'protocol_violation',
      () => `${SSE_HEAD}${chunk('data: {"jsonrpc":\n\n')}${LAST_CHUNK}`,
    ],
    [
      'a tool error on a stream',
      'tool_error',
      (id) => SSE_HEAD + chunk(event({ jsonrpc: '2.0', id, result: { content: [], isError: true } })) + LAST_CHUNK,
    ],
    [
      'a tool error',
      'tool_error',
      (id) => json({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'no' }], isError: true } }),
    ],
    ['isError false', 'correct', (id) => json({ jsonrpc: '2.0', id, result: { content: [], isError: false } })],
    ['a JSON-RPC error', 'rpc_-32602', (id) => json({ jsonrpc: '2.0', id, error: { code: -32602, message: 'bad' } })],
    ['another id', 'crossed', (id) => correct(id + 1)],
    [
      'broken JSON',
      'protocol_violation',
      () => http('200 OK', '{"jsonrpc":"2.0","id":', 'content-type: application/json\r\n'),
    ],
    ['no body', 'protocol_violation', () => http('200 OK', '', 'content-type: application/json\r\n')],
    ['no content type', 'protocol_violation', (id) => http('200 OK', JSON.stringify(result(id)))],
    ['a page', 'protocol_violation', () => http('200 OK', '<html>', 'content-type: text/html\r\n')],
    ['202', 'protocol_violation', () => ACCEPTED],
    ['204', 'protocol_violation', () => 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['302', 'http_302', () => http('302 Found', '', 'location: http://elsewhere/\r\n')],
    ['400', 'http_400', () => http('400 Bad Request', 'no', 'content-type: text/plain\r\n')],
    ['401', 'http_401', () => http('401 Unauthorized', '')],
    ['403', 'http_403', () => http('403 Forbidden', '')],
    ['429', 'http_429', () => http('429 Too Many Requests', '', 'retry-after: 2\r\n')],
    [
      '500 with a JSON-RPC error',
      'http_500',
      (id) => json({ jsonrpc: '2.0', id, error: { code: -32603, message: 'internal' } }, '', '500 Oops'),
    ],
    ['not HTTP', 'protocol_violation', () => 'hello there\r\n\r\n'],
    ['two lengths', 'protocol_violation', () => 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['an informational answer first', 'correct', (id) => `HTTP/1.1 103 Early Hints\r\n\r\n${correct(id)}`],
  ])('%s is %s', async (_name, outcome, answer) => {
    const server = await startRawServer(legacy(({ message }, socket) => void dribble(socket, answer(message.id ?? 0))));
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual([outcome]);
    // In every case the next request is served, on this connection or another.
    expect(await probe.call()).toEqual([outcome]);
    if (outcome === 'http_429') expect(probe.lastFailure?.retryAfterMs).toBe(2000);
    if (outcome === 'http_302') expect(probe.lastFailure?.detail).toContain('http://elsewhere/');
  });

  test.each<[string, string, (id: number) => string]>([
    [
      '404 with a JSON-RPC error',
      'rpc_-32601',
      (id) => json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }, '', '404 Not Found'),
    ],
    [
      '400 with a JSON-RPC error',
      'rpc_-32020',
      (id) => json({ jsonrpc: '2.0', id, error: { code: -32020, message: 'mismatch' } }, '', '400 Bad Request'),
    ],
    [
      '400 of a session server',
      'rpc_-32000',
      () =>
        json(
          { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Server not initialized' } },
          '',
          '400 Bad Request',
        ),
    ],
    ['404 without one', 'http_404', () => http('404 Not Found', 'nothing here')],
    [
      '500 with a JSON-RPC error',
      'http_500',
      (id) => json({ jsonrpc: '2.0', id, error: { code: -32603, message: 'internal' } }, '', '500 Oops'),
    ],
    [
      'input wanted',
      'tool_error',
      (id) => json({ jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests: {} } }),
    ],
    ['complete', 'correct', (id) => json({ jsonrpc: '2.0', id, result: { resultType: 'complete', content: [] } })],
  ])('in the stateless era %s is %s', async (_name, outcome, answer) => {
    const server = await startRawServer(({ message }, socket) => void socket.write(answer(message.id ?? 0)));
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    expect(await probe.call()).toEqual([outcome]);
  });

  test('an endless body is cut off at the limit', async () => {
    const server = await startRawServer(
      legacy((_request, socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
        const more = (): void => {
          while (!socket.destroyed && socket.write(chunk('x'.repeat(65_536))));
        };
        socket.on('drain', more);
        more();
      }),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['answer_limit']);
    expect(probe.lastFailure?.detail).toMatch(/more than 16777216 bytes.*limits: /);
    await until('the connection to be closed', () => server.open === 0);
  });

  test('repeated answers and drawn answers stay correct, and a wrong one is noticed', async () => {
    let asked = 0;
    const server = await startRawServer(
      legacy(({ message }, socket) => {
        asked++;
        if (asked === 50) socket.write(correct((message.id ?? 0) - 1));
        else if (asked === 60)
          socket.write(json({ ...result(message.id), extra: 1 }).replace('"extra":1', '"extra":}'));
        else socket.write(correct(message.id, JSON.stringify(message.params)));
      }),
    );
    const probe = await new ChannelProbe(server.url, { pipeline: 4 }).open();
    const outcomes = [];
    for (let round = 0; round < 25; round++) outcomes.push(...(await probe.call(4, round % 2 === 0 ? ECHO : COUNTED)));
    expect(
      outcomes
        .map((outcome, index) => (outcome === 'correct' ? '' : `${index + 1} ${outcome}`))
        .filter((text) => text !== ''),
    ).toEqual(['50 crossed', '60 protocol_violation']);
    const bodies = server.requests.filter(({ message }) => message.method === 'tools/call');
    expect(bodies.map(({ message }) => message.id)).toEqual(
      Array.from({ length: 100 }, (_, index) => 1_001_000_001 + index),
    );
  });
});

const PLAIN = 'content-type: text/plain\r\n';
const TOOL_FAILED = { isError: true, content: [{ type: 'text', text: 'the session was not found in the database' }] };

describe('a lost session', () => {
  const forget = (answer: string): RawHandler => {
    let calls = 0;
    return legacy((request, socket) => void (++calls === 1 ? answerAll(request, socket) : socket.write(answer)));
  };
  test.each([
    ['404', http('404 Not Found', '')],
    [
      '404 with a message',
      json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, '', '404 Not Found'),
    ],
    [
      '400 -32000 about sessions',
      json(
        { jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: No valid session ID provided' } },
        '',
        '400 Bad Request',
      ),
    ],
    [
      '400 -32000 about initialisation',
      json(
        { jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: Server not initialized' }, id: null },
        '',
        '400 Bad Request',
      ),
    ],
    ['400 in plain words', http('400 Bad Request', 'Bad Request: No valid session ID provided', PLAIN)],
    ['401 about the session', http('401 Unauthorized', 'Unauthorized: Session not found', PLAIN)],
    ['401 in JSON', json({ error: 'session_expired', message: 'The session has expired' }, '', '401 Unauthorized')],
    ['410', http('410 Gone', '')],
    ['422', http('422 Unprocessable Entity', 'Unexpected message: unknown session', PLAIN)],
    ['200 with an error', json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session terminated' } })],
    ['200 with an error that is no JSON-RPC', json({ error: 'Invalid or expired session ID' })],
    [
      'an error on a stream',
      SSE_HEAD +
        chunk(event({ jsonrpc: '2.0', id: null, error: { code: -32603, message: 'No transport found for session' } })) +
        LAST_CHUNK,
    ],
  ])('is known by %s', async (_name, answer) => {
    const server = await startRawServer(forget(answer));
    const probe = await new ChannelProbe(server.url, { pipeline: 3, connections: 2 }).open();
    expect(await probe.call()).toEqual(['correct']);
    expect(await probe.call(5)).toEqual(new Array(5).fill('session_lost'));
    expect(probe.closed).toBe('lost');
    expect(probe.log.at(-1)).toBe('lost');
    expect(probe.channel.room).toBe(0);
    await until('its sockets to be closed', () => server.open === 0);
    expect(probe.counters.connectionsActive).toBe(0);
  });

  test('is not reported for a 404 from a server without sessions', async () => {
    const server = await startRawServer(
      legacy((_request, socket) => void socket.write(http('404 Not Found', '')), NO_SESSION),
    );
    const probe = await new ChannelProbe(server.url, { pinned: { ...LEGACY, sessions: false } }).open();
    expect(await probe.call()).toEqual(['http_404']);
    expect(probe.closed).toBeUndefined();
  });

  test.each<[string, (id: number | undefined) => string, string]>([
    ['401 about a token', () => http('401 Unauthorized', 'token expired 3 days ago', PLAIN), 'http_401'],
    ['403 about a host', () => http('403 Forbidden', 'Invalid Host header', PLAIN), 'http_403'],
    ['a tool that fails for its own session', (id) => json({ jsonrpc: '2.0', id, result: TOOL_FAILED }), 'tool_error'],
    [
      'an error about an argument',
      (id) => json({ jsonrpc: '2.0', id, error: { code: -32602, message: 'invalid session_type' } }),
      'rpc_-32602',
    ],
  ])('is not reported for %s', async (_name, answer, category) => {
    const server = await startRawServer(legacy(({ message }, socket) => void socket.write(answer(message.id))));
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual([category]);
    expect(probe.closed).toBeUndefined();
  });

  test('is not reported for a 400 with another reason', async () => {
    const server = await startRawServer(
      legacy(
        (_request, socket) =>
          void socket.write(
            json(
              { jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: Unsupported protocol version' } },
              '',
              '400 Bad Request',
            ),
          ),
      ),
    );
    const probe = await new ChannelProbe(server.url).open();
    expect(await probe.call()).toEqual(['http_400']);
  });
});

/** Writes the pieces one after the other, each in a packet of its own. */
async function dribble(
  socket: { write(text: string): unknown; destroyed: boolean },
  pieces: string | readonly string[],
): Promise<void> {
  for (const piece of typeof pieces === 'string' ? [pieces] : pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    if (typeof pieces !== 'string') await new Promise((resolve) => setImmediate(resolve));
  }
}

function cut(text: string, length: number): string[] {
  // Cut between characters only; the parser's own tests cut within characters.
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, index) =>
    characters.slice(index * length, (index + 1) * length).join(''),
  );
}
