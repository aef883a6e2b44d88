import { workerData } from 'node:worker_threads';
import { CHANGED, FIRST_ALARM, METRONOME_PERIOD_MS, SLEEPS_UNTIL, STOP, sharedNowUs, TICK } from './metronome.js';

if (!(workerData instanceof SharedArrayBuffer)) throw new TypeError('the metronome thread needs its shared numbers');
const view = new Int32Array(workerData);

/** How long until the earliest alarm, in microseconds; the sleep until then is announced. */
function announceSleep(): number {
  const nowUs = sharedNowUs();
  let aheadUs = Infinity;
  for (let alarm = FIRST_ALARM; alarm < view.length; alarm++)
    aheadUs = Math.min(aheadUs, (Atomics.load(view, alarm) - nowUs) | 0);
  Atomics.store(view, SLEEPS_UNTIL, (nowUs + aheadUs) | 0);
  return aheadUs;
}

while (Atomics.load(view, STOP) === 0) {
  const changed = Atomics.load(view, CHANGED);
  announceSleep();
  // Once more: an alarm that was set before the announcement was not followed by a call.
  const aheadUs = announceSleep();
  if (aheadUs > 0) {
    Atomics.wait(view, CHANGED, changed, aheadUs / 1000);
    continue;
  }
  Atomics.add(view, TICK, 1);
  Atomics.notify(view, TICK);
  // Until the engine has set its next alarm, the old one is in the past. STOP changes only at the end.
  Atomics.wait(view, STOP, 0, METRONOME_PERIOD_MS);
}
