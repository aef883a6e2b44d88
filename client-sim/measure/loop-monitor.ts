import { monitorEventLoopDelay, performance, type EventLoopUtilization, type IntervalHistogram } from 'node:perf_hooks';
import type { LoopHealth } from './snapshot.js';

const RESOLUTION_MS = 10;

/** The event loop of the thread it is made in: how busy, how late. */
export class LoopMonitor {
  readonly #delay: IntervalHistogram;
  #before: EventLoopUtilization;

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#before = performance.eventLoopUtilization();
  }

  /** Since the last call. */
  take(): LoopHealth {
    const now = performance.eventLoopUtilization();
    const utilization = performance.eventLoopUtilization(now, this.#before).utilization;
    this.#before = now;
    // The histogram holds the time between two firings of a timer: its resolution is in it and is not delay.
    const p99Ms = this.#delay.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#delay.reset();
    return { utilization: Number.isFinite(utilization) ? utilization : 0, delayP99Ms: p99Ms > 0 ? p99Ms : 0 };
  }

  stop(): void {
    this.#delay.disable();
  }
}
