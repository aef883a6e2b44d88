import { expect, test } from '@jest/globals';
import { connectionRoom } from './connection-room.js';
import { localPorts } from './process-limits.js';

const limits = (files: number): string => `Limit  Soft\nMax open files            ${files}                 ${files}                files\n`;

test.each([
  ['open files', { '/proc/self/limits': limits(20_000) }, 16_000, 'of 20000 open files (ulimit -n)'],
  ['memory', { '/proc/self/limits': limits(1_000_000), '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:     153600 kB\n' }, 10_240, 'of 150 MiB of free memory'],
  [
    'tracked connections',
    { '/proc/self/limits': limits(1_000_000), '/proc/sys/net/netfilter/nf_conntrack_count': '12144\n', '/proc/sys/net/netfilter/nf_conntrack_max': '262144\n' },
    200_000, 'of 250000 connections the kernel can still track (nf_conntrack_max)',
  ],
])('%s bound the connections of a worker', (_name, files: Readonly<Record<string, string>>, connections, bound) => {
  expect(connectionRoom((path) => files[path])).toEqual({ connections, bound });
});

test('each address of the target has local ports of its own, and on loopback every connection is there twice', () => {
  const read = (path: string): string | undefined =>
    ({ '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n', '/proc/net/sockstat': 'TCP: inuse 200000 orphan 0 tw 1000 alloc 9 mem 3\n' })[path];
  expect(localPorts(['http://127.0.0.1:1/mcp', 'http://127.0.0.1:2/mcp', 'http://127.0.0.1:2/other'], read)).toEqual({ used: 101_000, limit: 2 * 28_232 });
  expect(localPorts(['http://127.0.0.1:1/mcp'], read, 4)).toEqual({ used: 101_000, limit: 4 * 28_232 });
  expect(localPorts(['http://10.0.0.1/mcp', 'http://127.0.0.1:2/mcp'], read)).toEqual({ used: 201_000, limit: 2 * 28_232 });
});
