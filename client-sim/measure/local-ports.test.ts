import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { missingLinux, testWith } from '../../tests/support/needs.js';
import { readText } from './cgroup.js';
import { localPorts } from './connection-capacity.js';

test('each address of the target has local ports of its own, and on loopback every connection is there twice', () => {
  const read = (path: string): string | undefined =>
    ({
      '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
      '/proc/net/sockstat': 'TCP: inuse 200000 orphan 0 tw 1000 alloc 9 mem 3\n',
    })[path];
  expect(localPorts(['http://127.0.0.1:1/mcp', 'http://127.0.0.1:2/mcp', 'http://127.0.0.1:2/other'], read)).toEqual({
    used: 101_000,
    limit: 2 * 28_232,
  });
  expect(localPorts(['http://127.0.0.1:1/mcp'], read, 4)).toEqual({ used: 101_000, limit: 4 * 28_232 });
  expect(localPorts(['http://10.0.0.1/mcp', 'http://127.0.0.1:2/mcp'], read)).toEqual({
    used: 201_000,
    limit: 2 * 28_232,
  });
});

function line(remote: string, state: string): string {
  return `   1: 0100007F:9DF5 ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 6054316 1 0 100 0 0 10 0\n`;
}

test('near the limit only connections to the target count, whoever else has some', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
    '/proc/net/sockstat': 'TCP: inuse 1000 orphan 0 tw 90000 alloc 9 mem 3\n',
    '/proc/net/tcp': `  sl  local_address rem_address   st\n${line('0100007F:0BB8', '01')}${line('0200007F:0BB8', '06')}${line('0100007F:0BB9', '06')}`,
    '/proc/net/tcp6': `  sl  local_address rem_address   st\n   1: 00000000000000000000000001000000:9DF5 00000000000000000000000001000000:0BB8 01 0\n`,
  };
  const read = (path: string): string | undefined => files[path];
  expect(localPorts(['http://127.0.0.1:3000/mcp'], read)).toEqual({ used: 3, limit: 28_232 });
  expect(localPorts(['http://server/mcp'], read)).toEqual({ used: 0, limit: 28_232 });
  // Without the list the sums stand.
  expect(
    localPorts(['http://127.0.0.1:3000/mcp'], (path) =>
      path.endsWith('tcp') || path.endsWith('tcp6') ? undefined : read(path),
    ),
  ).toEqual({ used: 90_500, limit: 28_232 });
});

testWith(missingLinux, 'connections of this machine are found in its own list', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const crowded = (path: string): string | undefined =>
      path === '/proc/net/sockstat' ? 'TCP: inuse 1 orphan 0 tw 90000000 alloc 9 mem 3\n' : readText(path);
    expect(localPorts([`http://127.0.0.1:${port}/mcp`], crowded)?.used).toBe(2);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
