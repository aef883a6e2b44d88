import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { type WebSocket, WebSocketServer } from 'ws';
import { selfSigned } from '../../../tests/support/certificates.js';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { ChannelProbe, MODERN } from '../../../tests/support/transport/channel-probe.js';
import { result } from '../../../tests/support/transport/raw-server.js';
import {
  accepted,
  type MessageHandler,
  serverFrame,
  startSocketServer,
  textFrame,
} from '../../../tests/support/transport/socket-server.js';
import { until } from '../../../tests/support/until.js';

function open(url: string, options: ConstructorParameters<typeof ChannelProbe>[1] = {}): Promise<ChannelProbe> {
  return new ChannelProbe(url, { transport: 'websocket', ...options }).open();
}

describe('against the server of `ws`', () => {
  /** The official SDK's MCP server on sockets of `ws`. */
  async function startSdkServer(secure?: {
    readonly key: string;
    readonly cert: string;
  }): Promise<{ readonly url: string; readonly library: WebSocketServer; readonly sockets: WebSocket[] }> {
    const https = secure === undefined ? undefined : createSecureServer(secure);
    const library = new WebSocketServer({
      ...(https === undefined ? { port: 0, host: '127.0.0.1' } : { server: https }),
      handleProtocols: (offered) => (offered.has('mcp') ? 'mcp' : false),
    });
    https?.listen(0, '127.0.0.1');
    await once(https ?? library, 'listening');
    const sockets: WebSocket[] = [];
    library.on('connection', (socket) => {
      sockets.push(socket);
      const transport: Transport = {
        start: () => Promise.resolve(),
        send: (message) =>
          new Promise((resolve, reject) =>
            socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve())),
          ),
        close: () => Promise.resolve(socket.close()),
      };
      socket.on('message', (data) => transport.onmessage?.(JSON.parse(String(data))));
      socket.on('close', () => transport.onclose?.());
      const server = new Server({ name: 'sdk', version: '1' }, { capabilities: { tools: {} } });
      server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
        content: [{ type: 'text', text: JSON.stringify(params.arguments) }],
      }));
      void server.connect(transport);
    });
    onTestEnd(() => {
      for (const socket of sockets) socket.terminate();
      library.close();
      https?.close();
    });
    const { port } = (https ?? library).address() as AddressInfo;
    return { url: `${secure === undefined ? 'ws' : 'wss'}://127.0.0.1:${port}/mcp?x=1`, library, sockets };
  }

  test('a session with the official SDK opens, answers, and is closed as the standard requires', async () => {
    const { url, sockets } = await startSdkServer();
    const probe = await open(url, { pipeline: 16, headers: { authorization: 'Bearer abcd' } });
    const closed = new Promise<readonly [number, string]>((resolve) =>
      sockets[0]?.once('close', (code, reason) => resolve([code, String(reason)])),
    );
    for (let turn = 0; turn < 20; turn++) expect(await probe.call(16)).toEqual(Array(16).fill('correct'));
    expect(sockets[0]?.protocol).toBe('mcp');
    await probe.close('delete');
    expect(await closed).toEqual([1000, '']);
  });

  test('over TLS too', async () => {
    const certificate = selfSigned();
    const { url } = await startSdkServer(certificate);
    const refused = await open(url);
    expect(refused.openFailure?.category).toBe('connect');
    const probe = await open(url, { pipeline: 4, tls: { ca: certificate.cert, insecure: false } });
    expect(await probe.call(4)).toEqual(Array(4).fill('correct'));
    await probe.close('delete');
  });

  test('fragments, pings with every answer, and messages of all lengths', async () => {
    const library = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestEnd(() => {
      for (const socket of library.clients) socket.terminate();
      library.close();
    });
    await once(library, 'listening');
    let pongs = 0;
    library.on('connection', (socket) => {
      socket.on('pong', () => (pongs += 1));
      socket.on('message', (data) => {
        const { id } = JSON.parse(String(data)) as { id: number };
        const text = JSON.stringify(result(id, 'ü'.repeat([1, 20, 100, 40_000, 100_000][id % 5] ?? 0)));
        socket.ping('alive?');
        const cut = [...text.slice(0, 7)];
        for (const character of cut) socket.send(character, { fin: false });
        socket.ping('still?');
        socket.send(text.slice(7), { fin: true });
      });
    });
    const { port } = library.address() as AddressInfo;
    const probe = await open(`ws://127.0.0.1:${port}`, { pipeline: 5, pinned: MODERN });
    for (let turn = 0; turn < 4; turn++) expect(await probe.call(5)).toEqual(Array(5).fill('correct'));
    await until('a pong for every ping', () => pongs === 40);
  });
});

describe('the upgrade', () => {
  test('sends what the standard requires, with the headers of the target', async () => {
    const server = await startSocketServer('websocket', () => undefined);
    await open(server.url, { headers: { Authorization: 'Bearer abcd' } });
    const [requestLine, ...lines] = server.lastHead.split('\r\n');
    expect(requestLine).toBe('GET /mcp HTTP/1.1');
    expect(lines.map((line) => line.replace(/: .*key.*/, ''))).toEqual(
      expect.arrayContaining([
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-protocol: mcp',
        'authorization: Bearer abcd',
      ]),
    );
    expect(Buffer.from(/sec-websocket-key: (\S+)/.exec(server.lastHead)?.[1] ?? '', 'base64')).toHaveLength(16);
  });

  test('has headers that the target cannot set', () => {
    expect(
      () => new ChannelProbe('ws://127.0.0.1:1/', { transport: 'websocket', headers: { 'Sec-WebSocket-Key': 'x' } }),
    ).toThrow('Sec-WebSocket-Key cannot be set');
    expect(() => new ChannelProbe('ws://127.0.0.1:1/', { transport: 'websocket', headers: { Upgrade: 'x' } })).toThrow(
      'Upgrade cannot be set',
    );
  });

  const with101 =
    (change: (head: string) => string) =>
    (key: string): string =>
      change(accepted(key));
  test.each<[string, (key: string) => string, string, string]>([
    [
      'a wrong accept',
      with101((head) => head.replace(/Accept: ./, 'Accept: -')),
      'protocol_violation',
      'sec-websocket-accept',
    ],
    [
      'no accept',
      with101((head) => head.replace(/Sec-WebSocket-Accept: \S+\r\n/, '')),
      'protocol_violation',
      'sec-websocket-accept',
    ],
    [
      'another protocol',
      with101((head) => head.replace('Upgrade: websocket', 'Upgrade: h2c')),
      'protocol_violation',
      'h2c',
    ],
    [
      'no connection: upgrade',
      with101((head) => head.replace('Connection: Upgrade', 'Connection: close')),
      'protocol_violation',
      'connection: close',
    ],
    [
      'another subprotocol',
      with101((head) => head.replace('Protocol: mcp', 'Protocol: chat')),
      'protocol_violation',
      'chat',
    ],
    [
      'an extension',
      with101((head) => head.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n')),
      'protocol_violation',
      'permessage-deflate',
    ],
    ['401', () => 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n', 'http_401', '401'],
    ['404', () => 'HTTP/1.1 404 Not Found\r\n\r\nnothing here', 'http_404', '404'],
    ['rubbish', () => 'SSH-2.0-OpenSSH_9.2\r\n', 'protocol_violation', 'not the head of an HTTP/1.1 answer'],
    [
      'an endless head',
      () => `HTTP/1.1 101 Switching Protocols\r\nx: ${'x'.repeat(200_000)}`,
      'protocol_violation',
      'not the head',
    ],
  ])('is refused when answered with %s', async (_what, upgrade, category, text) => {
    const server = await startSocketServer('websocket', () => undefined, { upgrade });
    const probe = await open(server.url);
    expect(probe.openFailure?.category).toBe(category);
    expect(probe.openFailure?.detail).toContain(text);
    await until('its socket to be closed', () => server.open === 0);
  });

  test('keeps the wait that a full server asks for', async () => {
    const server = await startSocketServer('websocket', () => undefined, {
      upgrade: () => 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n',
    });
    expect((await open(server.url)).openFailure).toMatchObject({ category: 'http_503', retryAfterMs: 7000 });
  });

  test('may be answered byte by byte, without a subprotocol, and with frames directly after it', async () => {
    const server = await startSocketServer('websocket', ({ id }, peer) => peer.send(result(id)), {
      upgrade: (key) =>
        Buffer.concat([
          Buffer.from(accepted(key).replace('Sec-WebSocket-Protocol: mcp\r\n', '')),
          serverFrame(0x89, Buffer.from('hi')),
          textFrame('{"jsonrpc":"2.0","method":"notifications/x"}'),
        ]),
    });
    const probe = await open(server.url, { pinned: MODERN });
    expect(await probe.call()).toEqual(['correct']);
    expect(server.peers[0]?.frames[0]).toMatchObject({ opcode: 10, payload: Buffer.from('hi') });
    expect(probe.counters.messagesReceived).toBe(2);
  });
});

describe('a server that breaks the rules', () => {
  const bytes =
    (make: (text: Buffer) => Buffer): MessageHandler =>
    ({ id }, { socket }) =>
      void socket.write(make(Buffer.from(JSON.stringify(result(id)))));
  const masked = (payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
  test.each<[string, MessageHandler, string, number]>([
    ['by masking', bytes(masked), 'protocol_violation', 1002],
    ['with a reserved bit', bytes((text) => serverFrame(0xc1, text)), 'protocol_violation', 1002],
    ['with binary', bytes((text) => serverFrame(0x82, text)), 'protocol_violation', 1003],
    [
      'with text that is not UTF-8',
      bytes((text) => serverFrame(0x81, Buffer.concat([text.subarray(0, -1), Buffer.from([0xff, 0x7d])]))),
      'protocol_violation',
      1007,
    ],
    [
      'with a message of a terabyte',
      bytes(() => Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0])),
      'answer_limit',
      1009,
    ],
    ['with HTTP', bytes(() => Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), 'protocol_violation', 1002],
  ])('%s gets a failed request and the close code for it', async (_what, handler, category, code) => {
    const server = await startSocketServer('websocket', handler);
    const probe = await open(server.url, { pipeline: 2 });
    expect(await probe.call(2)).toEqual([category, 'stream_lost']);
    expect(probe.closed).toBe('lost');
    const close = await until('the close frame', () => server.peers[0]?.frames.find(({ opcode }) => opcode === 8));
    expect(close.payload.readUInt16BE()).toBe(code);
    await until('its socket to be closed', () => server.open === 0);
  });

  test('by never ending a message costs no more memory than the limit', async () => {
    const piece = serverFrame(0x00, Buffer.alloc(1_000_000, 'x'));
    const server = await startSocketServer('websocket', (_message, { socket }) => {
      socket.write(serverFrame(0x01, Buffer.alloc(0)));
      const more = (): void => {
        if (!socket.destroyed) socket.write(piece, more);
      };
      more();
    });
    const probe = await open(server.url);
    expect(await probe.call()).toEqual(['answer_limit']);
    expect(probe.lastFailure?.detail).toContain('more than 16777216 bytes');
    expect(probe.counters.bytesReceived).toBeLessThan(20_000_000);
  });

  test('by closing within a message loses the answer; the failure has its reason', async () => {
    const server = await startSocketServer('websocket', (_message, { socket }) => {
      socket.write(
        Buffer.concat([
          serverFrame(0x01, Buffer.from('{"jsonrpc":')),
          serverFrame(0x88, Buffer.from([0x03, 0xf3, ...Buffer.from('going down')])),
        ]),
      );
    });
    const probe = await open(server.url);
    expect(await probe.call()).toEqual(['stream_lost']);
    expect(probe.lastFailure?.detail).toContain('code 1011 (going down)');
    expect(probe.closed).toBe('lost');
    const echo = await until('the echo', () => server.peers[0]?.frames.find(({ opcode }) => opcode === 8));
    expect(echo.payload.readUInt16BE()).toBe(1011);
  });

  test('by dropping the connection within a message loses the answer too', async () => {
    const server = await startSocketServer(
      'websocket',
      (_message, { socket }) => void socket.end(textFrame('{"jsonrpc":"2.0"}').subarray(0, 9)),
    );
    const probe = await open(server.url);
    expect(await probe.call()).toEqual(['stream_lost']);
    expect(probe.lastFailure?.detail).toContain('within the answer');
  });
});
