import { describe, expect, test } from '@jest/globals';
import { ChannelProbe } from '../../tests/support/transport/channel-probe.js';
import { http, json, legacy, startRawServer } from '../../tests/support/transport/raw-server.js';

describe('samples', () => {
  test('show the exchange without secrets, also where the server sends them back', async () => {
    const server = await startRawServer(
      legacy(
        ({ message, headers }, socket) =>
          void socket.write(
            json({
              jsonrpc: '2.0',
              id: message.id,
              error: { code: -32000, message: `who is ${headers.authorization?.slice(7)}, ${headers['x-key']}?` },
            }),
          ),
      ),
    );
    const probe = await new ChannelProbe(`${server.url}?api_key=query-secret`, {
      headers: { Authorization: 'Bearer token-secret', 'X-Key': 'key-secret', Host: 'secret.host' },
    }).open();
    expect(await probe.call()).toEqual(['rpc_-32000']);
    const failure = probe.lastFailure;
    const text = JSON.stringify(failure);
    for (const secret of ['token-secret', 'key-secret', 'query-secret', 'secret.host', 'session-1'])
      expect(text).not.toContain(secret);
    const [head, body] = failure?.sample?.request.split('\n\n') ?? [];
    expect(head).toMatch(
      /^POST \/mcp\?\*\*\* HTTP\/1.1\n[^]*mcp-protocol-version: 2025-11-25\n[^]*authorization: \*\*\*(?:\n|$)/,
    );
    expect(body).toMatch(/^\{"jsonrpc":"2.0","id":1001000001,"method":"tools\/call"/);
    expect(failure?.sample?.response).toMatch(/^HTTP\/1.1 200\ncontent-type: application\/json\n\n\{/);
    // The sample shows the request that was sent.
    expect(body).toBe(server.requests.at(-1)?.body);
  });

  test('are bounded in size and number', async () => {
    const server = await startRawServer(
      legacy((_request, socket) => void socket.write(http('500 Oops', 'x'.repeat(10_000)))),
    );
    const probe = await new ChannelProbe(server.url).open();
    for (let round = 0; round < 6; round++) await probe.call();
    expect(probe.failures.map((failure) => failure?.sample !== undefined)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(probe.failures[0]?.sample?.response).toHaveLength(2048);
  });

  test('are not needed for headers that would break the framing: those are refused before anything is sent', () => {
    for (const headers of [{ 'Content-Length': '5' }, { 'Transfer-Encoding': 'x' }, { 'a b': 'c' }, { a: 'b\r\nc: d' }])
      expect(() => new ChannelProbe('http://127.0.0.1:1/mcp', { headers })).toThrow(TypeError);
  });
});
