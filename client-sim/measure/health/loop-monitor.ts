import { type EventLoopUtilization, type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { LoopHealth } from '../snapshot.js';
import { type ReadText, readText } from './cgroup.js';

const RESOLUTION_MS = 10;
/** Readings at the end of a stage follow each other at once; a shorter interval does not show how busy the loop is. */
const MIN_INTERVAL_MS = 100;

/**
 * Measures the event loop of the thread that creates it: utilization, delay, and time spent waiting for a processor.
 */
export class LoopMonitor {
  private readonly delay: IntervalHistogram;
  private readonly wait = new ProcessorWait();
  private before: EventLoopUtilization;
  private last: LoopHealth = { utilization: 0, delayP99Ms: 0, processorWait: undefined };

  constructor() {
    this.delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.delay.enable();
    this.before = performance.eventLoopUtilization();
  }

  /** Figures since the last reading; the last ones again if that was only a moment ago. */
  take(): LoopHealth {
    const now = performance.eventLoopUtilization();
    const { utilization, active, idle } = performance.eventLoopUtilization(now, this.before);
    if (active + idle < MIN_INTERVAL_MS) return this.last;
    this.before = now;
    // The histogram holds the time between two firings of a timer; its resolution is part of that and is not delay.
    const p99Ms = this.delay.percentile(99) / 1e6 - RESOLUTION_MS;
    this.delay.reset();
    const waitedMs = this.wait.takeMs();
    const processorWait = waitedMs === undefined ? undefined : Math.min(1, waitedMs / (active + idle));
    return (this.last = { utilization, delayP99Ms: Math.max(p99Ms, 0), processorWait });
  }

  stop(): void {
    this.delay.disable();
  }
}

/**
 * How long the calling thread was ready to run but had no processor (Linux: `/proc/thread-self/schedstat`). The
 * utilization of an event loop counts that as busy time, so without it a full machine looks like slow code.
 */
export class ProcessorWait {
  private before: number | undefined;

  constructor(private readonly read: ReadText = readText) {
    this.before = this.totalMs();
  }

  /** Milliseconds since the last call; undefined where the kernel does not report it. */
  takeMs(): number | undefined {
    const total = this.totalMs();
    const waited = total === undefined || this.before === undefined ? undefined : Math.max(0, total - this.before);
    this.before = total;
    return waited;
  }

  /** The second of three numbers: nanoseconds on a run queue. */
  private totalMs(): number | undefined {
    const waited = /^\d+ (\d+) \d+/.exec(this.read('/proc/thread-self/schedstat') ?? '')?.[1];
    return waited === undefined ? undefined : Number(waited) / 1e6;
  }
}
