import { expect, test } from '@jest/globals';
import { connectionCapacity } from './connection-capacity.js';

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
