import { once } from 'node:events';
import net from 'node:net';
import { expect } from '@jest/globals';
import { missingLinux, testWith } from '../../../tests/support/needs.js';
import { addressOf, openSocket } from './socket.js';

// Only Linux assigns all of 127.0.0.0/8 to the loopback interface.
testWith(missingLinux, 'a connection comes from its source address', async () => {
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
  const [serverSide] = await accepted;
  expect(serverSide.remoteAddress).toBe('127.0.0.3');
  socket.destroy();
  serverSide.destroy();
  server.close();
});
