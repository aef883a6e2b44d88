import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { Batch } from '../measure/batch.js';
import type { Snapshot } from '../measure/snapshot.js';

/**
 * Lines up the snapshots of several threads. All threads take them at the same run times (whole seconds, ends of
 * stages), so a batch is complete when every thread that still runs has delivered its part. The very last part is kept
 * for `rest`.
 */
export class SnapshotQueue {
  private readonly waiting: Snapshot[][];
  private readonly finished: boolean[];

  constructor(
    private readonly plan: WorkerPlan,
    threads: number,
  ) {
    this.waiting = Array.from({ length: threads }, () => []);
    this.finished = Array.from({ length: threads }, () => false);
  }

  add(thread: number, snapshot: Snapshot): void {
    this.waiting[thread]?.push(snapshot);
  }

  /** This thread delivers nothing more. */
  finish(thread: number): void {
    this.finished[thread] = true;
  }

  /** The next complete batch, if there is one and a thread still runs. */
  next(): Batch | undefined {
    const running = this.waiting.filter((_, thread) => this.finished[thread] !== true);
    if (running.length === 0 || running.some((queue) => queue.length === 0)) return undefined;
    return this.upTo(Math.min(...running.map((queue) => queue[0]?.toMs ?? Infinity)));
  }

  /** Everything that is left. */
  rest(): Batch {
    return this.upTo(Infinity);
  }

  private upTo(toMs: number): Batch {
    const batch = new Batch(this.plan);
    for (const queue of this.waiting) {
      const later = queue.findIndex((snapshot) => snapshot.toMs > toMs);
      const taken = queue.splice(0, later < 0 ? queue.length : later);
      // Counts add up, but of the gauges only the last ones hold.
      for (const [index, snapshot] of taken.entries())
        batch.add(index === taken.length - 1 ? snapshot : { ...snapshot, gauges: [] });
    }
    return batch;
  }
}
