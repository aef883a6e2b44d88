import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { LoopMonitor, ProcessorWait } from './loop-monitor.js';

/** Blocks the loop for so long. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('a loop that never rests is busy, and a second reading right after the first repeats it', async () => {
  const monitor = new LoopMonitor();
  await sleep(1);
  const until = performance.now() + 300;
  while (performance.now() < until) {
    spin(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const busy = monitor.take();
  expect(busy.utilization).toBeGreaterThan(0.9);
  // As at the end of a stage: nothing was idle within this turn of the loop, but that does not make it busy.
  expect(monitor.take()).toBe(busy);
  await sleep(300);
  const idle = monitor.take();
  expect(idle).not.toBe(busy);
  expect(idle.utilization).toBeLessThan(busy.utilization);
  monitor.stop();
});

test('the processor wait is what the kernel has counted since the last reading, in milliseconds', () => {
  const counted = ['900 5000000 3', '950 12000000 4', '990 12500000 9'];
  const wait = new ProcessorWait((path) => (path === '/proc/thread-self/schedstat' ? counted.shift() : undefined));
  expect(wait.takeMs()).toBe(7);
  expect(wait.takeMs()).toBe(0.5);
  // The file is gone, as if /proc were closed: unknown, and not zero.
  expect(wait.takeMs()).toBeUndefined();
});

test('the processor wait of this thread is known on Linux', () => {
  const waited = new ProcessorWait().takeMs();
  if (process.platform !== 'linux') return;
  expect(waited).toBeGreaterThanOrEqual(0);
});
