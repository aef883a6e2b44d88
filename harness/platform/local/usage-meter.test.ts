import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';

import { createUsageMeter, parsePs, sumTrees } from './usage-meter.js';

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

describe('the usage meter', () => {
  test('gives nothing for the first interval, then CPU of one core, then leaves out what is gone', async () => {
    child = spawn(process.execPath, ['-e', 'const end = Date.now() + 20000; while (Date.now() < end);'], {
      stdio: 'ignore',
    });
    const meter = createUsageMeter([{ role: 'worker', name: 'busy', pid: child.pid ?? 0, startTicks: undefined }]);
    expect(await meter()).toMatchObject([{ id: 'busy', role: 'worker', cpu: 0 }]);
    await sleep(500);
    const [sample] = await meter();
    expect(sample?.cpu).toBeGreaterThan(0.05);
    expect(sample?.cpu).toBeLessThan(1.5);
    expect(sample?.memoryBytes).toBeGreaterThan(10_000_000);

    const gone = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(await meter()).toEqual([]);
  });

  test('reads what ps prints on macOS and Linux, and adds children to their parents', () => {
    const rows = parsePs('  10     1  2048   0:01.50\n   11    10  1024 01:00:00\n   12    11  1 1-00:00:01\n');
    expect(rows.map((row) => row.cpuSeconds)).toEqual([1.5, 3600, 86_401]);
    expect(sumTrees(rows, [10])).toEqual(
      new Map([[10, { cpuSeconds: 1.5 + 3600 + 86_401, memoryBytes: 3073 * 1024 }]]),
    );
  });
});
