import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { median } from './calls.js';

/**
 * Does `work` and measures how late this machine wakes a sleeping thread meanwhile: the part of a measured time that
 * other programs on the same cores cause, and not the program under test.
 * @returns what `work` returned, and the median lateness in milliseconds (0.05 to 0.1 on an idle Linux)
 */
export async function withLateness<Value>(
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly lateMs: number }> {
  const probe = new Worker(new URL('./lateness-probe.js', import.meta.url));
  try {
    const value = await work();
    const told = once(probe, 'message');
    probe.postMessage('tell');
    const [late] = (await told) as [readonly number[]];
    return { value, lateMs: Math.max(0, median(late)) };
  } finally {
    await probe.terminate();
  }
}
