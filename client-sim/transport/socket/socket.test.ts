import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { missingLinux, testWith } from '../../../tests/support/needs.js';
import { sourceEndpoints } from '../../protocol/endpoints.js';
import { addressOf, openSocket } from './socket.js';

const endpoint = { url: 'http://127.0.0.1:1/mcp', headers: { a: 'b' } };

test('an endpoint with sources is one for each of them; one without is itself', () => {
  expect(sourceEndpoints({ ...endpoint, sources: ['127.0.0.2', '127.0.0.3'] })).toEqual([
    { ...endpoint, sources: ['127.0.0.2'] },
    { ...endpoint, sources: ['127.0.0.3'] },
  ]);
  expect(sourceEndpoints(endpoint)).toEqual([endpoint]);
});

// Elsewhere 127.0.0.1 alone is this machine's.
testWith(missingLinux, 'a connection comes from its source', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const owner = {
    onSocketUp: () => undefined,
    onSocketRead: () => true,
    onSocketEnd: () => undefined,
    onSocketClose: () => undefined,
  };
  const socket = openSocket(
    addressOf({ url: `http://127.0.0.1:${port}/mcp`, sources: ['127.0.0.3'] }),
    Buffer.alloc(64),
    owner,
  );
  const [theirs] = await accepted;
  expect(theirs.remoteAddress).toBe('127.0.0.3');
  socket.destroy();
  theirs.destroy();
  server.close();
});
