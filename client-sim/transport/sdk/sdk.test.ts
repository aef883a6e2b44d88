import { execFile } from 'node:child_process';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { ExpectPlan, OperationPlan } from '../../../scenarios/schema/plan.js';
import { startReferenceServer } from '../../../swarm/reference-server/reference-server.js';
import { startTestServer } from '../../../tests/servers/test-server.js';
import { certificateAuthority } from '../../../tests/support/certificates.js';
import { onTestEnd } from '../../../tests/support/test-end.js';
import {
  ChannelProbe,
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
  legacy,
  type RawHandler,
  result,
  SSE_HEAD,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { until } from '../../../tests/support/until.js';
import { loadSdk } from './load-sdk.js';

type Era = 'legacy' | 'modern';
const eras: readonly Era[] = ['legacy', 'modern'];
const pinnedOf = { legacy: LEGACY, modern: MODERN };

async function reference(answers: 'json' | 'sse') {
  const server = await startReferenceServer({
    host: '127.0.0.1',
    port: 0,
    id: 'r1',
    era: 'both',
    answers,
    sessions: 'stateful',
    sessionTtlMs: 60_000,
    maxSessions: 100,
    seed: 1,
    replay: 1_000,
  });
  onTestEnd(() => server.close(500));
  return { server, url: `http://127.0.0.1:${server.port}/mcp` };
}

function operation(method: OperationPlan['method'], params: Record<string, unknown>, target?: string): OperationPlan {
  return {
    name: method,
    method,
    params: { kind: 'constant', json: JSON.stringify(params) },
    weight: 1,
    ...(target === undefined ? {} : { target }),
  };
}

function tool(name: string, args: Record<string, unknown>): OperationPlan {
  return operation('tools/call', { name, arguments: args }, name);
}
/** Loading the SDK is part of the first open. */
const PATIENT = { openTimeoutMs: 30_000 };

const answerAll: RawHandler = ({ verb, message }, socket) => {
  if (verb === 'GET') socket.write(http('405 Method Not Allowed', ''));
  else socket.write(message.id === undefined ? ACCEPTED : correct(message.id));
};

describe.each(eras)('the official client of the %s era', (era) => {
  test.each(['json', 'sse'] as const)(
    'carries every operation, with answers as %s',
    async (answers) => {
      const { server, url } = await reference(answers);
      const probe = await new ChannelProbe(url, {
        transport: 'sdk',
        pinned: pinnedOf[era],
        connections: 4,
        ...PATIENT,
      }).open();
      expect(probe.openFailure).toBeUndefined();
      for (let round = 0; round < 5; round++) expect(await probe.call(4)).toEqual(new Array(4).fill('correct'));
      const others = [
        operation('tools/list', {}),
        operation('resources/list', {}),
        operation('prompts/list', {}),
        operation('resources/read', { uri: 'bench://static/1k' }, 'bench://static/1k'),
        operation('prompts/get', { name: 'greeting', arguments: { name: 'Ada' } }, 'greeting'),
      ];
      for (const each of [...others, ...(era === 'legacy' ? [operation('ping', {})] : [])])
        expect([each.method, await probe.call(1, each)]).toEqual([each.method, ['correct']]);
      expect(await probe.call(1, tool('fail', { rate: 1 }))).toEqual(['tool_error']);
      expect(await probe.call(1, operation('resources/read', { uri: 'bench://nothing' }, 'bench://nothing'))).toEqual([
        expect.stringMatching(/^rpc_-\d+$/),
      ]);
      expect(await probe.call(1, tool('payload', { bytes: 1_500_000 }))).toEqual(['correct']);
      expect(server.stats().tools.echo?.ok).toBe(20);
      expect(new Set(probe.replicas)).toEqual(new Set(['r1']));
      expect(probe.counters.bytesReceived).toBeGreaterThan(1_500_000);
      expect(probe.counters.messagesReceived).toBeGreaterThanOrEqual(20 + others.length);
      await probe.close('delete');
      await until('the session to be gone', () => server.stats().sessions.active === 0);
      expect(probe.counters).toMatchObject({ connectionsActive: 0, lateAnswers: 0 });
    },
    60_000,
  );

  test('makes a thousand calls on one session without leaking listeners', async () => {
    const server = await startRawServer(era === 'legacy' ? legacy(answerAll) : discovered(answerAll));
    // The program ends by itself once the session has freed everything.
    const { stdout } = await promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('../../../tests/support/transport/many-calls.js', import.meta.url)),
      server.url,
      era,
      '1000',
    ]);
    const { mostOnOneSignal, ...counted } = JSON.parse(stdout) as { readonly mostOnOneSignal: number };
    expect(counted).toEqual({ correct: 1000, failed: 0, warnings: [], moreListeners: 0 });
    expect(mostOnOneSignal).toBeLessThan(10);
  }, 120_000);

  test('sends the headers of the target, keeps its cookies, and attributes answers to named replicas', async () => {
    const { url, log } = await startTestServer({
      era,
      preflightCalls: 0,
      behaviour: (call) => call.answer(undefined, 200, { 'set-cookie': `seen=${call.number}` }),
    });
    if (era === 'legacy') await new ChannelProbe(url).open();
    const probe = await new ChannelProbe(url, {
      transport: 'sdk',
      pinned: pinnedOf[era],
      headers: { authorization: 'Bearer secret', 'x-team': 'a' },
      cookies: true,
      ...PATIENT,
    }).open();
    expect([...(await probe.call()), ...(await probe.call())]).toEqual(['correct', 'correct']);
    expect(log.calls.map(({ headers }) => [headers.authorization, headers['x-team'], headers.cookie])).toEqual([
      ['Bearer secret', 'a', undefined],
      ['Bearer secret', 'a', 'seen=1'],
    ]);
    expect(log.calls[0]?.headers['user-agent']).toMatch(/^swarmbench\//);
    expect(probe.replicas).toEqual(['', '']);
  });

  test('checks what the scenario expects', async () => {
    const { url } = await reference('json');
    const probe = await new ChannelProbe(url, { transport: 'sdk', pinned: pinnedOf[era], ...PATIENT }).open();
    const expecting = (plan: Partial<ExpectPlan>): OperationPlan => ({
      ...tool('echo', { message: 'found' }),
      expect: { contains: [], equals: [], ...plan },
    });
    expect(await probe.call(1, expecting({ contains: ['found'], minBytes: 20, maxBytes: 500 }))).toEqual(['correct']);
    expect(await probe.call(1, expecting({ contains: ['lost'] }))).toEqual(['expectation']);
    expect(await probe.call(1, expecting({ minBytes: 5_000 }))).toEqual(['expectation']);
  });

  test.each(['abandon', 'reset'] as const)('ends over TLS with a certificate of ours by %s', async (how) => {
    const authority = certificateAuthority();
    const [server, client] = [authority.issue('server'), authority.issue('client')];
    const { url, log } = await startTestServer({
      era,
      preflightCalls: 0,
      behaviour: (call) => call.answer(),
      tls: { ...server, ca: authority.cert },
    });
    const options = { transport: 'sdk', pinned: pinnedOf[era], resettable: how === 'reset', ...PATIENT } as const;
    const probe = await new ChannelProbe(url, {
      ...options,
      tls: { ca: authority.cert, cert: client.cert, key: client.key, insecure: false },
    }).open();
    expect(await probe.call()).toEqual(['correct']);
    await probe.close(how);
    await until('its connections to be closed', () => probe.counters.connectionsActive === 0);
    const untrusting = await new ChannelProbe(url, options).open();
    expect(untrusting.openFailure?.category).toBe('connect');
    const believing = await new ChannelProbe(url, {
      ...options,
      tls: { cert: client.cert, key: client.key, insecure: true },
    }).open();
    expect(await believing.call()).toEqual(['correct']);
    expect(log.sessionsDeleted).toBe(0);
  });

  test('to a port where nothing listens is a refused connection', async () => {
    const unused = net.createServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    for (const [at, text] of [
      [port, 'ECONNREFUSED'],
      [1, 'bad port'],
    ] as const) {
      const probe = await new ChannelProbe(`http://127.0.0.1:${at}/mcp`, {
        transport: 'sdk',
        pinned: pinnedOf[era],
        ...PATIENT,
      }).open();
      expect(probe.openFailure).toMatchObject({ category: 'connect', detail: expect.stringContaining(text) });
    }
  });

  test.each([
    ['401 Unauthorized', 'http_401'],
    ['503 Service Unavailable', 'http_503'],
  ])('that is refused with %s says so', async (status, category) => {
    const server = await startRawServer(
      (_request, socket) => void socket.write(http(status, '{}', 'retry-after: 3\r\n')),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', pinned: pinnedOf[era], ...PATIENT }).open();
    expect(probe.openFailure).toMatchObject({ category, retryAfterMs: 3000 });
    await until('its sockets to be closed', () => server.open === 0);
  });
});

/** A server of the stateless era with `server/discover`. */
function discovered(handler: RawHandler): RawHandler {
  return (request, socket) => {
    const { method, id } = request.message;
    if (method === 'server/discover')
      socket.write(
        json({
          jsonrpc: '2.0',
          id,
          result: {
            resultType: 'complete',
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: {} },
            ttlMs: 0,
            cacheScope: 'private',
          },
        }),
      );
    else if (request.verb === 'GET' || id === undefined) handler(request, socket);
    else
      socket.write(
        json({
          jsonrpc: '2.0',
          id,
          result: {
            resultType: 'complete',
            content: [{ type: 'text', text: 'fine' }],
            ttlMs: 0,
            cacheScope: 'private',
          },
        }),
      );
  };
}

test('a handshake without an answer times out', async () => {
  for (const era of eras) await loadSdk(era);
  const server = await startRawServer(() => undefined);
  const probes = await Promise.all(
    eras.map((era) =>
      new ChannelProbe(server.url, { transport: 'sdk', pinned: pinnedOf[era], openTimeoutMs: 4_000 }).open(),
    ),
  );
  expect(probes.map(({ openFailure }) => openFailure?.category)).toEqual(['timeout', 'timeout']);
  await until('its sockets to be closed', () => server.open === 0);
});

describe('closing', () => {
  test.each<['delete' | 'abandon' | 'reset', string]>([
    ['delete', 'DELETE'],
    ['abandon', 'POST'],
    ['reset', 'POST'],
  ])('%s answers the requests in flight and leaves no socket open', async (how, lastVerb) => {
    const server = await startRawServer(
      legacy(({ verb }, socket) => void (verb === 'GET' && socket.write(http('405 Method Not Allowed', '')))),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', connections: 3, ...PATIENT }).open();
    await until('the stream to be requested', () => server.requests.some(({ verb }) => verb === 'GET'));
    const tickets = [probe.sendUnflushed(), probe.sendUnflushed(), probe.sendUnflushed()];
    probe.channel.flush();
    await until('the requests to arrive', () => server.requests.length === 6);
    await probe.close(how);
    expect(tickets.map((ticket) => probe.outcomes[ticket])).toEqual([
      'aborted_by_us',
      'aborted_by_us',
      'aborted_by_us',
    ]);
    expect(probe.log.at(-1)).toBe('closed');
    await until('all sockets to be closed', () => server.open === 0 && probe.counters.connectionsActive === 0);
    expect(server.requests.at(-1)?.verb).toBe(lastVerb);
  });

  test('reset is seen as RST by the server, abandon as FIN', async () => {
    const seen: string[] = [];
    const watched = new WeakSet<object>();
    const server = await startRawServer(
      legacy((request, socket) => {
        // Not on the stream's connection: bytes on their way to it turn any close into a reset.
        if (request.verb === 'POST' && !watched.has(socket)) {
          watched.add(socket);
          socket.once('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? ''));
          socket.once('end', () => seen.push('FIN'));
        }
        answerAll(request, socket);
      }),
    );
    for (const [how, end] of [
      ['reset', 'ECONNRESET'],
      ['abandon', 'FIN'],
    ] as const) {
      seen.length = 0;
      const probe = await new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT }).open();
      expect(await probe.call()).toEqual(['correct']);
      await probe.close(how);
      await until('all sockets to be gone', () => server.open === 0 && seen.length > 0);
      expect(new Set(seen)).toEqual(new Set([end]));
    }
  });

  test('while opening makes the opening fail, and destroy is followed by no event', async () => {
    const server = await startRawServer(() => undefined);
    const probe = new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT });
    probe.channel.open();
    await until('initialize to arrive', () => server.requests.length === 1);
    probe.channel.close('delete');
    expect(probe.openFailure?.category).toBe('aborted_by_us');
    await until('its socket to be closed', () => server.open === 0);
    const second = new ChannelProbe(server.url, { transport: 'sdk' });
    second.channel.open();
    await until('initialize to arrive', () => server.requests.length === 2);
    second.channel.destroy();
    await until('its socket to be closed', () => server.open === 0);
    expect(second.log).toEqual([]);
  });
});

describe('a session of the official client', () => {
  test('is lost with all requests in flight when the server has forgotten it', async () => {
    const server = await startRawServer(
      legacy(({ verb, message }, socket) => {
        if (verb === 'GET') socket.write(http('405 Method Not Allowed', ''));
        else if (message.id === 2)
          socket.write(
            json(
              { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } },
              '',
              '404 Not Found',
            ),
          );
      }),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', connections: 2, ...PATIENT }).open();
    expect(await probe.call(2)).toEqual(['session_lost', 'session_lost']);
    expect(probe.closed).toBe('lost');
    await until('its sockets to be closed', () => server.open === 0);
  });

  test('answers requests of the server and counts its progress notifications', async () => {
    const server = await startRawServer(
      legacy((request, socket) => {
        const { verb, message } = request;
        if (verb === 'GET') socket.write(SSE_HEAD + chunk(event({ jsonrpc: '2.0', id: 'mine', method: 'ping' })));
        else if (message.method === undefined) socket.write(ACCEPTED);
        else
          socket.write(
            SSE_HEAD +
              chunk(
                event({
                  jsonrpc: '2.0',
                  method: 'notifications/progress',
                  params: { progressToken: 'x', progress: 1 },
                }) + event(result(message.id)),
              ) +
              '0\r\n\r\n',
          );
      }),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT }).open();
    expect(await probe.call()).toEqual(['correct']);
    await until('the answer to the ping', () => server.requests.some(({ body }) => body.includes('"mine"')));
    expect(probe.counters.streams).toMatchObject({ serverRequests: 1, progress: 1 });
  });

  test('resumes the answer of a call whose stream broke off after an event', async () => {
    const server = await startRawServer(
      legacy(({ verb, headers, message }, socket) => {
        if (verb === 'GET' && headers['last-event-id'] === 'e1')
          socket.write(`${SSE_HEAD + chunk(`id: e2\n${event(result(1))}`)}0\r\n\r\n`);
        else if (verb === 'GET') socket.write(http('405 Method Not Allowed', ''));
        else if (message.method === 'tools/call')
          socket.write(`${SSE_HEAD + chunk('id: e1\nretry: 10\ndata: \n\n')}0\r\n\r\n`);
      }),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT }).open();
    expect(await probe.call()).toEqual(['correct']);
  });

  test('does not resume an abandoned call', async () => {
    const server = await startRawServer(
      legacy(({ verb, message }, socket) => {
        if (verb === 'GET') socket.write(http('405 Method Not Allowed', ''));
        else if (message.id === 1) socket.write(SSE_HEAD + chunk('id: e1\nretry: 10\ndata: \n\n'));
        else socket.write(message.id === undefined ? ACCEPTED : correct(message.id));
      }),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT }).open();
    const ticket = probe.sendUnflushed();
    probe.channel.flush();
    await until(
      'the beginning of the answer',
      () => server.requests.some(({ message }) => message.method === 'tools/call') && probe.counters.messagesSent >= 3,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    probe.channel.abandon(ticket);
    expect(await probe.call()).toEqual(['correct']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.requests.filter(({ headers }) => headers['last-event-id'] !== undefined)).toHaveLength(0);
  });

  test('fails an answer that only the SDK refuses', async () => {
    const server = await startRawServer(
      legacy(
        ({ verb, message }, socket) =>
          void socket.write(
            verb === 'GET'
              ? http('405 Method Not Allowed', '')
              : json({
                  jsonrpc: '2.0',
                  id: message.id,
                  result: { content: [{ type: 'text', text: '', annotations: 'smell' }] },
                }),
          ),
      ),
    );
    const probe = await new ChannelProbe(server.url, { transport: 'sdk', ...PATIENT }).open();
    expect(await probe.call()).toEqual(['protocol_violation']);
    expect(probe.lastFailure?.detail).toContain("the SDK's client refuses the answer");
    expect(probe.lastFailure?.sample?.response).toContain('smell');
  });
});

test('a name that a header cannot hold unencoded reaches the server', async () => {
  const { url, log } = await startTestServer({ era: 'modern', preflightCalls: 0, behaviour: (call) => call.answer() });
  const probe = await new ChannelProbe(url, { transport: 'sdk', pinned: MODERN, ...PATIENT }).open();
  expect([...(await probe.call(1, WITH_FOREIGN_NAME)), ...(await probe.call(1, ECHO))]).toEqual(['correct', 'correct']);
  expect(log.calls[0]?.headers['mcp-name']).toBe(`=?base64?${Buffer.from('bench://größe').toString('base64')}?=`);
  expect(Object.keys((log.calls[1]?.params._meta ?? {}) as object).sort()).toEqual([
    'io.modelcontextprotocol/clientCapabilities',
    'io.modelcontextprotocol/clientInfo',
    'io.modelcontextprotocol/protocolVersion',
  ]);
});
