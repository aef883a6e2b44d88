import { workerData } from 'node:worker_threads';
import { METRONOME_PERIOD_MS, STOP, TICK } from './metronome.js';

if (!(workerData instanceof SharedArrayBuffer)) throw new TypeError('the metronome thread needs its shared counter');
const view = new Int32Array(workerData);
while (Atomics.load(view, STOP) === 0) {
  // STOP changes only at the end, so this wait always times out: that is the tick.
  Atomics.wait(view, STOP, 0, METRONOME_PERIOD_MS);
  Atomics.add(view, TICK, 1);
  Atomics.notify(view, TICK);
}
