/**
 * What a metronome is late by that sends nothing: the same wait as ours, alone on the core. Where this is late,
 * whatever runs there is, and the lag of a load says nothing of who made it. Argument: seconds. Prints one line of
 * JSON, microseconds.
 */
import { METRONOME_PERIOD_MS } from '../../client-sim/load/metronome.js';
import { cellAt, DurationHistogram, percentileMs } from '../../client-sim/measure/duration-histogram.js';

const [seconds = '1'] = process.argv.slice(2);
const ARRIVALS_EVERY_MS = 0.1;
const WARM_UP_MS = 300;

const nobody = new Int32Array(new SharedArrayBuffer(4));
const cells = new DurationHistogram();
const startMs = performance.now() + WARM_UP_MS;
const endMs = startMs + Number(seconds) * 1000;
// Arrivals as those of the load beside it: one every 0.1 ms, each as late as the next wake.
let dueMs = startMs;
for (let nowMs = performance.now(); nowMs < endMs; nowMs = performance.now()) {
  for (; dueMs <= nowMs; dueMs += ARRIVALS_EVERY_MS) cells.add(cellAt(nowMs - dueMs));
  Atomics.wait(nobody, 0, 0, METRONOME_PERIOD_MS);
}
const counts = new Map<number, number>();
cells.drain((cell, count) => void counts.set(cell, count));
const [p50, p99, max] = [50, 99, 100].map((percentile) => 1000 * percentileMs(counts, percentile));
process.stdout.write(`${JSON.stringify({ p50, p99, max })}\n`);
