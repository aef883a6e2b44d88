import { Worker } from 'node:worker_threads';

/** TypeScript's es2023 library does not declare `waitAsync` yet; Node has had it since 16. */
interface AtomicsWithAsync {
  waitAsync(view: Int32Array, index: number, value: number): { readonly async: boolean; readonly value: unknown };
}
const asyncAtomics = Atomics as unknown as AtomicsWithAsync;

/** Ticks are at least this far apart. */
export const METRONOME_PERIOD_MS = 0.1;

/** Indexes into the shared numbers. */
export const TICK = 0;
export const STOP = 1;
/** Changes when an engine thread asks for an earlier tick than `SLEEPS_UNTIL`. */
export const CHANGED = 2;
export const SLEEPS_UNTIL = 3;
/** From here on: when each engine thread wants its next tick. */
export const FIRST_ALARM = 4;

/** Times among the shared numbers are microseconds, and wrap: only differences of less than half an hour count. */
const MOST_AHEAD_MS = 1_000_000;

/** What to add to `performance.now()` of this thread to get the clock that all threads of a process share. */
const SHARED_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Microseconds on the clock that all threads of a process share, as a 32-bit number that wraps. */
export function sharedNowUs(): number {
  return sharedUs(performance.now());
}

function sharedUs(ms: number): number {
  return ((ms + SHARED_OFFSET_MS) * 1000) | 0;
}

/**
 * A helper thread that ticks when an engine thread has something to send, to a tenth of a millisecond: finer than any
 * timer of the event loop. Between alarms it sleeps, so a low rate costs little; it ticks every 0.1 ms at most. One
 * metronome serves all engine threads of a process.
 */
export class Metronome {
  readonly ticks: SharedArrayBuffer;
  private readonly thread: Worker;

  /** @param engines how many engine threads there are */
  constructor(engines = 1) {
    this.ticks = new SharedArrayBuffer((FIRST_ALARM + engines) * 4);
    new Int32Array(this.ticks).fill(sharedUs(performance.now() + MOST_AHEAD_MS), SLEEPS_UNTIL);
    this.thread = new Worker(new URL('./metronome-thread.js', import.meta.url), { workerData: this.ticks });
  }

  async stop(): Promise<void> {
    const view = new Int32Array(this.ticks);
    Atomics.store(view, STOP, 1);
    Atomics.add(view, CHANGED, 1);
    Atomics.notify(view, CHANGED);
    Atomics.notify(view, STOP);
    Atomics.add(view, TICK, 1);
    Atomics.notify(view, TICK);
    await this.thread.terminate();
  }
}

/** Lets one engine thread wait for the ticks. */
export class TickView {
  private readonly view: Int32Array;
  private readonly alarm: number;

  /** @param engine number of the engine thread, from 0 */
  constructor(ticks: SharedArrayBuffer, engine: number) {
    this.view = new Int32Array(ticks);
    this.alarm = FIRST_ALARM + engine;
  }

  /** Asks for a tick at that time. @param atMs `performance.now()`; Infinity: no tick is needed */
  setAlarm(atMs: number): void {
    const { view, alarm } = this;
    const atUs = sharedUs(Math.min(atMs, performance.now() + MOST_AHEAD_MS));
    Atomics.store(view, alarm, atUs);
    if (((Atomics.load(view, SLEEPS_UNTIL) - atUs) | 0) <= 0) return;
    Atomics.add(view, CHANGED, 1);
    Atomics.notify(view, CHANGED);
  }

  /** Waits for the next tick, at least one turn of the event loop, so that sockets are read even between late ticks. */
  async next(): Promise<void> {
    const wait = asyncAtomics.waitAsync(this.view, TICK, Atomics.load(this.view, TICK));
    if (wait.async) await wait.value;
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
