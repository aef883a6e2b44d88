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

test('a value that Prometheus repeats until the next scrape, or after the last one, is no reading', () => {
  const name = 'container_cpu_usage_seconds_total';
  const counters = [
    {
      labels: labels(name, 'mcp-server', '1', 'a'),
      values: [
        [0, 1],
        [5, 2],
        [10, 2],
        [15, 6],
        [20, 6],
      ] as const,
    },
    {
      labels: labels('container_memory_working_set_bytes', 'mcp-server', '1', 'a'),
      values: [
        [0, 9],
        [5, 9],
        [10, 9],
        [15, 9],
        [20, 9],
      ] as const,
    },
  ];
  const { __name__: _, ...task } = labels(name, 'mcp-server', '1', 'a');
  // The scrape that was due at 10 came at 11.
  const scrapes = [
    {
      labels: task,
      values: [
        [0, 1000],
        [5, 1005],
        [10, 1005],
        [15, 1011],
        [20, 1011],
      ] as const,
    },
  ];
  const cpu = (points: ReturnType<typeof meteredUse>): unknown =>
    points[0]?.points.map((point) => [point.t, Math.round(point.cpu * 1000) / 1000]);
  expect(cpu(meteredUse(counters, scrapes))).toEqual([
    [5, 0.2],
    [15, 0.667],
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
