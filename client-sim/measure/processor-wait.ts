import { type ReadText, readText } from './cgroup.js';

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
