import { type EventLoopUtilization, type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type ReadText, readText } from './cgroup.js';
import type { LoopHealth } from './snapshot.js';

const RESOLUTION_MS = 10;
/**
 * At an end of a stage two readings follow each other at once: the time between them says nothing of how busy the loop
 * is.
 */
const SHORTEST_MS = 100;

/** The event loop of the thread it is made in: how busy, how late, how long it wanted a processor and had none. */
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

  /** Since the last reading; the last one itself where that is but a moment ago. */
  take(): LoopHealth {
    const now = performance.eventLoopUtilization();
    const { utilization, active, idle } = performance.eventLoopUtilization(now, this.before);
    if (active + idle < SHORTEST_MS) return this.last;
    this.before = now;
    // The histogram holds the time between two firings of a timer: its resolution is in it and is not delay.
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
 * How long the thread it is used in was ready to run and had no processor. An event loop's utilisation counts that as
 * busy time, so without it a machine that is full looks like code that is slow (Linux: `/proc/thread-self/schedstat`).
 */
export class ProcessorWait {
  private before: number | undefined;

  constructor(private readonly read: ReadText = readText) {
    this.before = this.totalMs();
  }

  /** Milliseconds since the last call; undefined where the kernel does not say. */
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
