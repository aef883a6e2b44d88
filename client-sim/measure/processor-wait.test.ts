import { expect, test } from '@jest/globals';
import { ProcessorWait } from './loop-monitor.js';

test('what the kernel counted since the last reading, in milliseconds', () => {
  const counted = ['900 5000000 3', '950 12000000 4', '990 12500000 9'];
  const wait = new ProcessorWait((path) => (path === '/proc/thread-self/schedstat' ? counted.shift() : undefined));
  expect(wait.takeMs()).toBe(7);
  expect(wait.takeMs()).toBe(0.5);
  // Gone, as where /proc is closed: not known, which is not zero.
  expect(wait.takeMs()).toBeUndefined();
});

test('of this very thread', () => {
  const waited = new ProcessorWait().takeMs();
  if (process.platform !== 'linux') return;
  expect(waited).toBeGreaterThanOrEqual(0);
});
