import { parentPort } from 'node:worker_threads';

const STEP_MS = 1;
const nobody = new Int32Array(new SharedArrayBuffer(4));
const late: number[] = [];

/** Sleeps a millisecond at a time until asked, then reports by how much each sleep was too long, and ends. */
function sleep(): void {
  const from = performance.now();
  Atomics.wait(nobody, 0, 0, STEP_MS);
  late.push(performance.now() - from - STEP_MS);
  if (!asked) setImmediate(sleep);
  else parentPort?.postMessage(late);
}

let asked = false;
parentPort?.once('message', () => {
  asked = true;
});
sleep();
