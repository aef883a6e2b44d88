import { spawn } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { onTestEnd } from '../../../tests/support/test-end.js';
import { until } from '../../../tests/support/until.js';
import { costOfChildren, processCapacity, processProblem } from './process-capacity.js';

const MiB = 1_048_576;

describe('how many processes a machine has room for', () => {
  test.each([
    [10, { memoryBytes: 50 * MiB, tasks: 11 }, { memoryBytes: 1000 * MiB, tasks: 1000 }, undefined],
    [10, { memoryBytes: 50 * MiB, tasks: 11 }, { memoryBytes: undefined, tasks: undefined }, undefined],
    [
      100,
      { memoryBytes: 50 * MiB, tasks: 11 },
      { memoryBytes: 1000 * MiB, tasks: 100_000 },
      '5000 MiB of memory, but only 1000 MiB are free. This machine has room for 18:',
    ],
    [
      100,
      { memoryBytes: 1 * MiB, tasks: 11 },
      { memoryBytes: 1000 * MiB, tasks: 1000 },
      '1100 processes and threads, but only 1000 are left. This machine has room for 81: ' +
        'use fewer clients, or session: { mode: pool, size: 81 }',
    ],
  ])('%d of %j in %j', (count, cost, room, text) => {
    const problem = processProblem(count, cost, room);
    if (text === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(text);
  });

  test('the room is read from the files of the kernel', () => {
    const files: Readonly<Record<string, string>> = {
      '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:    2048 kB\n',
      '/proc/self/limits': 'Max processes             500                  500                  processes \n',
      '/proc/self/cgroup': '0::/x\n',
      '/sys/fs/cgroup/x/pids.max': '300\n',
      '/sys/fs/cgroup/x/pids.current': '100\n',
    };
    expect(processCapacity((path) => files[path])).toEqual({ memoryBytes: 2 * MiB, tasks: 200 });
    expect(processCapacity((path) => ({ ...files, '/sys/fs/cgroup/x/pids.max': 'max\n' })[path])).toEqual({
      memoryBytes: 2 * MiB,
      tasks: 500,
    });
    expect(processCapacity(() => undefined)).toEqual({ memoryBytes: undefined, tasks: undefined });
  });

  test('the cost of a process includes the processes that it started', async () => {
    const before = costOfChildren();
    const child = spawn('/bin/sh', ['-c', 'sleep 30 & sleep 30; wait'], { stdio: 'ignore', detached: true });
    onTestEnd(() => process.kill(-(child.pid ?? 0), 'SIGKILL'));
    await until('three processes to be seen', () => costOfChildren().tasks >= before.tasks + 3);
    expect(costOfChildren().memoryBytes).toBeGreaterThan(before.memoryBytes);
  });
});
