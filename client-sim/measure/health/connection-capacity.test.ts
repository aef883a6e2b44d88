import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { missingLinux, testWith } from '../../../tests/support/needs.js';
import { readText } from './cgroup.js';
import { connectionCapacity, localPorts } from './connection-capacity.js';

function limits(files: number): string {
  return `Limit  Soft\nMax open files            ${files}                 ${files}                files\n`;
}

test.each([
  ['open files', { '/proc/self/limits': limits(20_000) }, 16_000, 'of 20000 open files (ulimit -n)'],
  [
    'memory',
    { '/proc/self/limits': limits(1_000_000), '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:     153600 kB\n' },
    10_240,
    'of 150 MiB of free memory',
  ],
  [
    'tracked connections',
    {
      '/proc/self/limits': limits(1_000_000),
      '/proc/sys/net/netfilter/nf_conntrack_count': '12144\n',
      '/proc/sys/net/netfilter/nf_conntrack_max': '262144\n',
    },
    200_000,
    'of 250000 connections the kernel can still track (nf_conntrack_max)',
  ],
])('%s limit the connections of a worker', (_name, files: Readonly<Record<string, string>>, connections, bound) => {
  expect(connectionCapacity((path) => files[path])).toEqual({ connections, bound });
});

test('each address of the target has its own local ports, and on loopback every connection is counted twice', () => {
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

const HEAD = '  sl  local_address rem_address   st\n';
const LOOPBACK_6 = '00000000000000000000000001000000';

function line(remote: string, state: string): string {
  const rest = '00000000:00000000 00:00000000 00000000     0        0 6054316 1 0 100 0 0 10 0';
  return `   1: 0100007F:9DF5 ${remote} ${state} ${rest}\n`;
}

test('near the limit only connections to the target are counted', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
    '/proc/net/sockstat': 'TCP: inuse 1000 orphan 0 tw 90000 alloc 9 mem 3\n',
    '/proc/net/tcp': HEAD + line('0100007F:0BB8', '01') + line('0200007F:0BB8', '06') + line('0100007F:0BB9', '06'),
    '/proc/net/tcp6': `${HEAD}   1: ${LOOPBACK_6}:9DF5 ${LOOPBACK_6}:0BB8 01 0\n`,
  };
  const read = (path: string): string | undefined => files[path];
  expect(localPorts(['http://127.0.0.1:3000/mcp'], read)).toEqual({ used: 3, limit: 28_232 });
  expect(localPorts(['http://server/mcp'], read)).toEqual({ used: 0, limit: 28_232 });
  // Without the list the sums are used.
  expect(
    localPorts(['http://127.0.0.1:3000/mcp'], (path) =>
      path.endsWith('tcp') || path.endsWith('tcp6') ? undefined : read(path),
    ),
  ).toEqual({ used: 90_500, limit: 28_232 });
});

testWith(missingLinux, 'connections of this machine are found in its list', async () => {
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
