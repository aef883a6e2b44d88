import { describe, expect, test } from '@jest/globals';
import { selfSigned } from '../../tests/support/certificates.js';
import { ECHO, MODERN } from '../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  chunk,
  correct,
  event,
  http,
  json,
  LAST_CHUNK,
  legacy,
  type RawHandler,
  type RawServer,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../tests/support/transport/raw-server.js';
import { until } from '../../tests/support/until.js';
import { compileRequest } from '../mcp/compile-request.js';
import { type Negotiation, negotiate } from './negotiate.js';

const answerAll: RawHandler = ({ message }, socket) => void socket.write(correct(message.id));
function refuse(status: string, code?: number): RawHandler {
  return ({ message }, socket) =>
    void socket.write(
      code === undefined
        ? http(status, '')
        : json({ jsonrpc: '2.0', id: message.id, error: { code, message: 'no' } }, '', status),
    );
}

/** Answers `server/discover` with `discovery`, everything else like a session server. */
function discovering(discovery: RawHandler): RawHandler {
  return (request, socket) =>
    request.message.method === 'server/discover' ? discovery(request, socket) : legacy(answerAll)(request, socket);
}

const modernAnswer: RawHandler = ({ message }, socket) =>
  void socket.write(
    json({
      jsonrpc: '2.0',
      id: message.id,
      result: {
        supportedVersions: ['2026-07-28'],
        capabilities: {},
        resultType: 'complete',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'm', version: '2' } },
      },
    }),
  );

async function ask(
  handler: RawHandler,
  era: 'auto' | 'legacy' | 'modern',
  headers = {},
  timeoutMs = 5000,
): Promise<{ readonly server: RawServer; readonly found: Negotiation }> {
  const server = await startRawServer(handler);
  const found = await negotiate({ url: server.url, headers }, era, { timeoutMs });
  await found.session.close();
  return { server, found };
}

describe('the era is', () => {
  test.each<
    [string, 'auto' | 'legacy' | 'modern', RawHandler, Negotiation extends { pinned: infer Pinned } ? Pinned : unknown]
  >([
    [
      'modern, when discovery succeeds',
      'auto',
      discovering(modernAnswer),
      { era: 'modern', version: '2026-07-28', sessions: false },
    ],
    [
      'modern, when that is required',
      'modern',
      discovering(modernAnswer),
      { era: 'modern', version: '2026-07-28', sessions: false },
    ],
    [
      'modern, when required of a server without discovery',
      'modern',
      discovering(refuse('404 Not Found', -32601)),
      { era: 'modern', version: '2026-07-28', sessions: false },
    ],
    [
      'legacy, when that is required',
      'legacy',
      discovering(modernAnswer),
      { era: 'legacy', version: '2025-11-25', sessions: true },
    ],
    [
      'legacy, after 400',
      'auto',
      discovering(refuse('400 Bad Request', -32000)),
      { era: 'legacy', version: '2025-11-25', sessions: true },
    ],
    [
      'legacy, after 404',
      'auto',
      discovering(refuse('404 Not Found')),
      { era: 'legacy', version: '2025-11-25', sessions: true },
    ],
    [
      'legacy, after 200 with an unknown method',
      'auto',
      discovering(refuse('200 OK', -32601)),
      { era: 'legacy', version: '2025-11-25', sessions: true },
    ],
    [
      'legacy, after a page',
      'auto',
      discovering((_request, socket) => void socket.write(http('200 OK', '<html>', 'content-type: text/html\r\n'))),
      { era: 'legacy', version: '2025-11-25', sessions: true },
    ],
  ])('%s', async (_name, era, handler, pinned) => {
    const { found } = await ask(handler, era);
    expect(found).toMatchObject({ ok: true, pinned });
    expect(found.session.exchanges.every((exchange) => exchange.ok)).toBe(
      era !== 'modern' || !found.session.exchanges[0]?.problem,
    );
  });

  test.each<[string, RawHandler]>([
    ['500', refuse('500 Internal Server Error', -32603)],
    ['503 without words', refuse('503 Busy')],
    ['a closed connection', (_request, socket) => void socket.destroy()],
    ['silence', () => undefined],
    ['202', (_request, socket) => void socket.write(ACCEPTED)],
  ])('legacy, when server/discover gets %s', async (_name, handler) => {
    const { found } = await ask(discovering(handler), 'auto', {}, 300);
    expect(found).toMatchObject({ ok: true, pinned: { era: 'legacy', sessions: true } });
    expect(found.session.exchanges.every(({ ok }) => ok)).toBe(true);
  });

  test('modern, when the first answer refuses the version and offers the same one', async () => {
    let asked = 0;
    const handler = discovering((request, socket) => {
      if (asked++ > 0) return modernAnswer(request, socket);
      const error = {
        code: -32022,
        message: 'Unsupported protocol version',
        data: { supported: ['2026-07-28'], requested: '2026-07-28' },
      };
      socket.write(json({ jsonrpc: '2.0', id: request.message.id, error }, '', '400 Bad Request'));
    });
    const { found } = await ask(handler, 'auto');
    expect(found).toMatchObject({ ok: true, pinned: { era: 'modern' } });
    expect(found.session.exchanges.map(({ step, ok }) => [step, ok])).toEqual([
      ['server/discover', true],
      ['server/discover', true],
    ]);
  });

  test('found together with the name and version of the server', async () => {
    expect((await ask(discovering(modernAnswer), 'auto')).found).toMatchObject({
      serverInfo: { name: 'm', version: '2' },
    });
    expect((await ask(legacy(answerAll), 'legacy')).found).toMatchObject({ serverInfo: { name: 'raw', version: '1' } });
  });
});

describe('no era is concluded, and the problem says what to do, from', () => {
  test.each<[string, RawHandler, RegExp]>([
    ['401', refuse('401 Unauthorized'), /HTTP 401.*--header/],
    ['403', refuse('403 Forbidden'), /HTTP 403.*--header/],
    [
      'a redirect',
      (_request, socket) => void socket.write(http('307 Elsewhere', '', 'location: http://there/mcp\r\n')),
      /http:\/\/there\/mcp.*Use that address/,
    ],
    ['a stateless server of another version', refuse('400 Bad Request', -32022), /stateless era, but not 2026-07-28/],
  ])('%s', async (_name, handler, message) => {
    const { found, server } = await ask(handler, 'auto', {}, 200);
    expect(found.ok).toBe(false);
    expect(found.ok ? '' : found.problem).toMatch(message);
    expect(found.session.exchanges).toMatchObject([{ step: 'server/discover', ok: false }]);
    await until('its socket to be closed', () => server.open === 0);
  });

  test.each<[string, RawHandler, RegExp]>([
    ['503', refuse('503 Busy'), /HTTP 503.*gateway.*--era legacy/],
    ['silence', () => undefined, /no answer within 200 ms.*preflight: .*--era legacy/],
    ['a closed connection', (_request, socket) => void socket.end(), /before the answer.*--era legacy/],
  ])('%s to both questions', async (_name, handler, message) => {
    const { found, server } = await ask(handler, 'auto', {}, 200);
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(message) });
    expect(found.session.exchanges).toMatchObject([
      { step: 'server/discover', ok: false },
      { step: 'initialize', ok: false },
    ]);
    await until('its socket to be closed', () => server.open === 0);
  });

  test.each([
    [
      '401 with a reason and a challenge',
      http(
        '401 Unauthorized',
        JSON.stringify({ error: 'invalid_token', error_description: 'token expired 3 days ago' }),
        'content-type: application/json\r\nwww-authenticate: Bearer error="invalid_token"\r\n',
      ),
      /HTTP 401: token expired 3 days ago, invalid_token; WWW-Authenticate: Bearer error="invalid_token"\.$/,
    ],
    [
      '403 in words of JSON-RPC',
      json({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Invalid Host: x:1' } }, '', '403 Forbidden'),
      /HTTP 403: Invalid Host: x:1\.$/,
    ],
    [
      '421 in plain words, with control characters',
      http('421 Misdirected Request', 'Invalid \u001b[31mHost\u0007 header\n', 'content-type: text/plain\r\n'),
      /initialize, got HTTP 421: Invalid \[31mHost header\.$/,
    ],
    [
      '403 as a page',
      http('403 Forbidden', '<html><head><title>Access denied</title></head>', 'content-type: text/html\r\n'),
      /HTTP 403: Access denied\.$/,
    ],
  ])('%s: the words of the server, and no guess', async (_name, answer, message) => {
    const { found } = await ask((_request, socket) => void socket.write(answer), 'auto');
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(message) });
  });

  test('a certificate that is not trusted', async () => {
    const { key, cert } = selfSigned();
    const server = await startRawServer(() => undefined, { key, cert });
    const found = await negotiate({ url: server.url, headers: {} }, 'auto');
    expect(found).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/certificate.*--tls-ca FILE.*--insecure/),
    });
  });

  test('a port where nothing listens', async () => {
    const found = await negotiate({ url: 'http://127.0.0.1:1/mcp', headers: {} }, 'auto');
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(/ECONNREFUSED.*Is the server running/) });
  });

  test('a server without MCP', async () => {
    const { found } = await ask(refuse('404 Not Found'), 'auto');
    expect(found).toMatchObject({ ok: false, problem: expect.stringMatching(/initialize.*HTTP 404.*MCP endpoint/) });
  });
});

describe('the record', () => {
  test('holds every exchange, with secrets hidden', async () => {
    const { found } = await ask(legacy(answerAll), 'legacy', { Authorization: 'Bearer hush-hush' });
    expect(found.session.exchanges.map(({ step, ok }) => [step, ok])).toEqual([
      ['initialize', true],
      ['notifications/initialized', true],
      ['end of session', true],
    ]);
    expect(JSON.stringify(found.session.exchanges)).not.toMatch(/hush|session-1/);
    expect(found.session.exchanges[0]?.request).toMatch(
      /^POST \/mcp HTTP\/1.1\n[^]*authorization: \*\*\*\n\n\{"jsonrpc":"2.0","id":10\d{8},"method":"initialize"/,
    );
    expect(found.session.exchanges[0]?.response).toMatch(/^HTTP\/1.1 200\ncontent-type: application\/json\n\n\{/);
    expect(found.session.exchanges[0]?.durationMs).toBeGreaterThan(0);
  });
});

describe('a request of the session', () => {
  const open = async (
    handler: RawHandler,
    timeoutMs = 5000,
  ): Promise<{ readonly server: RawServer; readonly session: Negotiation['session'] }> => {
    const server = await startRawServer(handler);
    const found = await negotiate({ url: server.url, headers: {} }, 'legacy', { timeoutMs });
    return { server, session: found.session };
  };

  test('returns the result, from JSON or from a stream with other messages', async () => {
    const server = legacy((request, socket) => {
      if (request.message.method === undefined) return void socket.write(http('202 Accepted', ''));
      const { id } = request.message;
      const before =
        event({ jsonrpc: '2.0', method: 'notifications/progress' }) + event({ jsonrpc: '2.0', id: 1, method: 'ping' });
      socket.write(
        request.message.method === 'tools/list'
          ? SSE_HEAD + chunk(before) + chunk(event(result(id, 'streamed'))) + LAST_CHUNK
          : correct(id, 'plain'),
      );
    });
    const { session } = await open(server);
    expect(await session.request('tools/list')).toMatchObject({
      status: 200,
      result: { content: [{ text: 'streamed' }] },
      failure: undefined,
    });
    expect((await session.request('tools/call', { name: 'x' })).result).toMatchObject({ content: [{ text: 'plain' }] });
    await session.close();
  });

  test('returns failures as the load would count them', async () => {
    const { session } = await open(
      legacy(
        ({ message }, socket) =>
          void socket.write(
            message.method === 'ping'
              ? http('429 Slow', '', 'retry-after: 1\r\n')
              : json({ ...result(message.id), result: { isError: true } }),
          ),
      ),
    );
    expect(await session.request('tools/call', { name: 'x' })).toMatchObject({
      status: 200,
      result: undefined,
      failure: { category: 'tool_error' },
    });
    expect(await session.request('ping')).toMatchObject({
      status: 429,
      failure: { category: 'http_429', retryAfterMs: 1000 },
    });
    await session.close();
  });

  test('times out, and the next one is served', async () => {
    let silent = true;
    const { session, server } = await open(
      legacy((request, socket) => (silent ? undefined : answerAll(request, socket))),
      150,
    );
    expect(await session.request('ping')).toMatchObject({
      status: 0,
      failure: { category: 'timeout' },
      responseText: '(no answer)',
    });
    silent = false;
    expect(await session.request('ping')).toMatchObject({ status: 200, failure: undefined });
    expect(server.connectionsOpened).toBe(2);
    await session.close();
  });

  test('for an operation sends the bytes that the load sends', async () => {
    const server = await startRawServer(discovering(modernAnswer));
    const { session } = await negotiate({ url: server.url, headers: {} }, 'modern');
    const answer = await session.operation(compileRequest(ECHO, 0, MODERN), { seed: 1, slot: 0, sequence: 0 }, 'echo');
    expect(server.requests[1]).toMatchObject({
      headers: { 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
      message: { params: { name: 'echo', _meta: {} } },
    });
    expect(answer.requestText.split('\n\n')[1]).toBe(server.requests[1]?.body);
    await session.close();
  });
});
