import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { meteredUse, readMetrics } from './read-metrics.js';

function labels(name: string, service: string, slot: string, task: string): Record<string, string> {
  return { __name__: name, stack: 's', service, slot, node: 'n1', task };
}
function series(service: string, slot: string, task: string, from = 0) {
  return [
    {
      labels: labels('container_cpu_usage_seconds_total', service, slot, task),
      values: [
        [from - 5, 1],
        [from, 2],
        [from + 5, 4.5],
      ] as const,
    },
    {
      labels: labels('container_memory_working_set_bytes', service, slot, task),
      values: [
        [from - 5, 10],
        [from, 20],
        [from + 5, 30],
      ] as const,
    },
    {
      labels: { ...labels('container_network_receive_bytes_total', service, slot, task), interface: 'eth0' },
      values: [
        [from - 5, 0],
        [from, 100],
        [from + 5, 600],
      ] as const,
    },
    {
      labels: { ...labels('container_network_receive_bytes_total', service, slot, task), interface: 'eth1' },
      values: [
        [from, 0],
        [from + 5, 500],
      ] as const,
    },
  ];
}

test('counters become rates between scrapes, summed over interfaces, from the start of the load', () => {
  expect(meteredUse(series('mcp-server', '1', 'a'))).toEqual([
    {
      id: 'mcp-server.1',
      service: 'mcp-server',
      task: 'a',
      node: 'n1',
      points: [
        { t: 0, cpu: 0.2, memoryBytes: 20, receivedBytesPerSecond: 20 },
        { t: 5, cpu: 0.5, memoryBytes: 30, receivedBytesPerSecond: 200 },
      ],
    },
  ]);
});

test('each task has an entry, in order of service, slot and time; tasks without a slot are left out', () => {
  const all = [
    ...series('mcp-server', '10', 'd'),
    ...series('mcp-server', '2', 'c', 40),
    ...series('mcp-server', '2', 'b', 10),
    ...series('client-sim-normal', '1', 'a'),
    ...series('agent', '', 'x'),
  ];
  expect(meteredUse(all).map(({ id, task }) => [id, task])).toEqual([
    ['client-sim-normal.1', 'a'],
    ['mcp-server.2', 'b'],
    ['mcp-server.2', 'c'],
    ['mcp-server.10', 'd'],
  ]);
});

test('a file that is missing, broken or of another version gives nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'swarmbench-metrics-'));
  try {
    expect(await readMetrics(folder)).toEqual([]);
    for (const text of [
      '',
      '{"schemaVersion":1,"gro',
      '{"schemaVersion":2,"groups":[]}',
      '{"schemaVersion":1,"groups":[]}',
    ]) {
      await writeFile(join(folder, 'metrics.json'), text);
      expect(await readMetrics(folder)).toEqual([]);
    }
    await writeFile(
      join(folder, 'metrics.json'),
      JSON.stringify({ schemaVersion: 1, groups: [{ name: 'containers', series: series('mcp-server', '1', 'a') }] }),
    );
    expect(await readMetrics(folder)).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
