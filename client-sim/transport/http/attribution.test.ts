import { describe, expect, test } from '@jest/globals';
import { ChannelProbe, MODERN } from '../../../tests/support/transport/channel-probe.js';
import {
  ACCEPTED,
  http,
  json,
  legacy,
  type RawHandler,
  result,
  startRawServer,
} from '../../../tests/support/transport/raw-server.js';
import { negotiate } from '../../preflight/negotiate.js';
import { CookieJar } from '../cookie-jar.js';

function answerFrom(headers: (request: number) => string): RawHandler {
  let requests = 0;
  return ({ message }, socket) => void socket.write(json(result(message.id), headers(requests++)));
}
function named(name: string): string {
  return `X-Swarmbench-Replica: ${name}\r\n`;
}
function served(name: string): string {
  return `x-swarmbench-server: ${name}\r\n`;
}

describe('every answer is attributed', () => {
  test('to the replica that it names, also when it is known byte for byte', async () => {
    const server = await startRawServer(answerFrom((request) => named(`replica-${1 + (request % 3)}`)));
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    for (let round = 0; round < 60; round++) expect(await probe.call()).toEqual(['correct']);
    expect(probe.replicas).toEqual(Array.from({ length: 60 }, (_, request) => `replica-${1 + (request % 3)}`));
  });

  test('to its own replica among pipelined answers', async () => {
    const server = await startRawServer(answerFrom((request) => named(request % 5 === 0 ? 'a' : 'b')));
    const probe = await new ChannelProbe(server.url, { pinned: MODERN, pipeline: 10 }).open();
    for (let round = 0; round < 10; round++) await probe.call(10);
    expect(probe.replicas).toEqual(Array.from({ length: 100 }, (_, request) => (request % 5 === 0 ? 'a' : 'b')));
  });

  test('to the replica that the gateway names where the server names none; else to none', async () => {
    const server = await startRawServer(
      answerFrom((request) => [served('10.0.1.5:3000'), named('me') + served('10.0.1.5:3000'), ''][request % 3] ?? ''),
    );
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    for (let round = 0; round < 9; round++) await probe.call();
    expect(probe.replicas).toEqual(Array.from({ length: 3 }, () => ['10.0.1.5:3000', 'me', '']).flat());
  });

  test('to a replica when it is an error, and to none when the connection broke', async () => {
    let requests = 0;
    const server = await startRawServer(
      (_request, socket) =>
        void (requests++ === 0 ? socket.write(http('500 Oops', '{}', named('a'))) : socket.destroy()),
    );
    const probe = await new ChannelProbe(server.url, { pinned: MODERN }).open();
    expect([...(await probe.call()), ...(await probe.call())]).toEqual(['http_500', 'stream_lost']);
    expect(probe.replicas).toEqual(['a', '']);
  });

  test('to a replica for handshake and DELETE too, also when it does not know the session', async () => {
    const server = await startRawServer(({ verb, message }, socket) => {
      if (message.method === 'initialize')
        socket.write(
          json(
            { jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-11-25' } },
            `mcp-session-id: s\r\n${named('a')}`,
          ),
        );
      else if (message.method === 'notifications/initialized')
        socket.write(ACCEPTED.replace('content-length', `${named('b')}content-length`));
      else if (verb === 'DELETE') socket.write(http('404 Not Found', '', named('c')));
      else socket.write(json(result(message.id), named('a')));
    });
    const probe = await new ChannelProbe(server.url).open();
    await probe.call();
    await probe.close('delete');
    expect(probe.controls).toEqual(['a', 'b', 'c?']);
    expect(probe.replicas).toEqual(['a']);
  });
});

describe('cookies', () => {
  const cookieServer = () => {
    let answers = 0;
    const head = (): string => (answers++ === 0 ? 'set-cookie: GATE=one; path=/\r\nSet-Cookie: other=2\r\n' : '');
    return startRawServer(({ message, verb }, socket) => {
      if (message.method === 'initialize')
        socket.write(
          json(
            { jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-11-25' } },
            `mcp-session-id: s\r\n${head()}`,
          ),
        );
      else if (message.method === 'notifications/initialized') socket.write(ACCEPTED);
      else if (verb === 'DELETE') socket.write(http('200 OK', ''));
      else socket.write(json(result(message.id), head()));
    });
  };

  test('are kept for a session and sent back where the endpoint is set to keep them', async () => {
    const server = await cookieServer();
    const cookies = async (endpoint: {
      url: string;
      headers: Record<string, string>;
      cookies?: boolean;
    }): Promise<readonly (string | undefined)[]> => {
      const before = server.requests.length;
      const probe = await new ChannelProbe(endpoint.url, { endpoint }).open();
      await probe.call();
      await probe.call();
      await probe.close('delete');
      return server.requests.slice(before).map(({ headers }) => headers.cookie);
    };
    expect(await cookies({ url: server.url, headers: {}, cookies: true })).toEqual([
      undefined,
      ...Array<string>(4).fill('GATE=one; other=2'),
    ]);
    expect(await cookies({ url: server.url, headers: {} })).toEqual(Array(5).fill(undefined));
  });

  test("come with the first answer in the stateless era, and join the target's own cookie header", async () => {
    const server = await cookieServer();
    const probe = await new ChannelProbe(server.url, {
      pinned: MODERN,
      endpoint: { url: server.url, headers: { Cookie: 'login=x' }, cookies: true },
    }).open();
    for (let round = 0; round < 3; round++) await probe.call();
    expect(server.requests.map(({ headers }) => headers.cookie)).toEqual([
      'login=x',
      'login=x; GATE=one; other=2',
      'login=x; GATE=one; other=2',
    ]);
  });

  test('are kept by preflight too', async () => {
    const server = await cookieServer();
    const { session } = await negotiate({ url: server.url, headers: {}, cookies: true }, 'legacy');
    await session.close();
    expect(server.requests.map(({ headers }) => headers.cookie)).toEqual([
      undefined,
      'GATE=one; other=2',
      'GATE=one; other=2',
    ]);
  });

  test('can be replaced and deleted', () => {
    const jar = new CookieJar();
    expect(jar.header).toBeUndefined();
    expect(jar.keep('a=1; Path=/')).toBe(true);
    expect(jar.keep('a=1')).toBe(false);
    expect(jar.keep('a=2\nb=3; HttpOnly')).toBe(true);
    expect(jar.header).toBe('a=2; b=3');
    expect(jar.keep('a=; Expires=Thu, 01-Jan-1970 00:00:01 GMT')).toBe(true);
    jar.keep('b=4; Max-Age=0');
    jar.keep('no cookie at all');
    expect(jar.header).toBeUndefined();
  });
});

test('a session that the gateway sends to another replica is lost, and attributed to that replica', async () => {
  let calls = 0;
  const server = await startRawServer(
    legacy(({ message }, socket) => {
      socket.write(
        calls++ === 0
          ? json(result(message.id), named('a'))
          : http(
              '404 Not Found',
              '{"error":{"code":-32001,"message":"Session not found"}}',
              `content-type: application/json\r\n${named('b')}`,
            ),
      );
    }),
  );
  const probe = await new ChannelProbe(server.url).open();
  expect([...(await probe.call()), ...(await probe.call())]).toEqual(['correct', 'session_lost']);
  expect(probe.replicas).toEqual(['a', 'b']);
  expect(probe.closed).toBe('lost');
});
