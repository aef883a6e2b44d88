import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type SinkServer, startSink } from './sink-server.js';

let sink: SinkServer | undefined;
afterEach(async () => {
  await sink?.close();
  sink = undefined;
});

/**
 * Sends the pieces one after the other and returns everything that came until the server closed or `until` was seen.
 */
async function exchange(port: number, pieces: readonly Buffer[], until: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  const done = new Promise<string>((resolve, reject) => {
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.includes(until)) resolve(received);
    });
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
  });
  for (const piece of pieces) await new Promise((written) => socket.write(piece, written));
  return done.finally(() => socket.destroy());
}

function call(id: string, headers = ''): string {
  const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo"}}`;
  return `POST /mcp HTTP/1.1\r\nhost: x\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;
}

describe('the sink', () => {
  test.each(['json', 'sse'] as const)('answers an SDK client with %s', async (answers) => {
    sink = await startSink({ host: '127.0.0.1', port: 0, answers });
    const client = new Client({ name: 'test', version: '1' });
    // The SDK's class declares sessionId as possibly undefined, its interface as absent: not assignable at our
    // strictness.
    const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${sink.port}/mcp`));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain('echo');
    expect(await client.callTool({ name: 'anything', arguments: { id: 5 } })).toEqual({
      content: [{ type: 'text', text: 'ok' }],
    });
    await transport.terminateSession();
    await client.close();
    expect(sink.stats()).toMatchObject({
      requests: { initialize: 1, 'tools/call': 1, 'tools/list': 1, DELETE: 1 },
      sessions: { opened: 1, closed: 1 },
    });
  });

  test('answers pipelined requests in order, each with its own id', async () => {
    sink = await startSink({ host: '127.0.0.1', port: 0, answers: 'json' });
    const ids = Array.from({ length: 500 }, (_, index) => String(1_000_000_000 + index));
    const received = await exchange(
      sink.port,
      [Buffer.from(ids.map((id) => call(id)).join(''))],
      '1000000499,"result"',
    );
    expect([...received.matchAll(/"id":(\d+)/g)].map((match) => match[1])).toEqual(ids);
    expect(sink.stats().answered).toBe(500);
  });

  test('adds what results of the stateless era must carry', async () => {
    sink = await startSink({ host: '127.0.0.1', port: 0, answers: 'json' });
    const received = await exchange(
      sink.port,
      [Buffer.from(call('"a"', 'mcp-protocol-version: 2026-07-28\r\n'))],
      '}}}',
    );
    expect(received).toContain('{"jsonrpc":"2.0","id":"a","result":{');
    expect(received).toContain('"resultType":"complete"');
  });

  test('answers the same when every byte comes alone', async () => {
    sink = await startSink({ host: '127.0.0.1', port: 0, answers: 'json' });
    const bytes = Buffer.from(call('1') + call('2', 'connection: close\r\n'));
    const received = await exchange(
      sink.port,
      Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)),
      'never',
    );
    expect(received.match(/"id":\d/g)).toEqual(['"id":1', '"id":2']);
  });

  test.each([
    ['GET /mcp HTTP/1.1\r\nconnection: close\r\n\r\n', '405'],
    ['DELETE /mcp HTTP/1.1\r\nconnection: close\r\n\r\n', '200'],
    ['GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', '200'],
    ['POST /mcp HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]', '400'],
    ['POST /mcp HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', '411'],
  ])('%j is answered with %s', async (request, status) => {
    sink = await startSink({ host: '127.0.0.1', port: 0, answers: 'json' });
    expect(await exchange(sink.port, [Buffer.from(request)], 'never')).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});
