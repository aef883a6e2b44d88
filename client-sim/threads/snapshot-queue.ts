import type { WorkerPlan } from '../../scenarios/schema/plan.js';
import { Batch } from '../measure/batch.js';
import type { Snapshot } from '../measure/snapshot.js';

/**
 * Lines up the snapshots of several threads: all cut at the same run times (whole seconds, ends of stages), so a batch
 * is complete when every thread that still works has delivered its part. The very last part is kept for `rest`.
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

  /** The next complete batch of a run that goes on, if there is one. */
  next(): Batch | undefined {
    const working = this.waiting.filter((_, thread) => this.finished[thread] !== true);
    if (working.length === 0 || working.some((queue) => queue.length === 0)) return undefined;
    return this.upTo(Math.min(...working.map((queue) => queue[0]?.toMs ?? Infinity)));
  }

  /** Everything that is left, however little. */
  rest(): Batch {
    return this.upTo(Infinity);
  }

  private upTo(toMs: number): Batch {
    const batch = new Batch(this.plan);
    for (const queue of this.waiting) {
      const later = queue.findIndex((snapshot) => snapshot.toMs > toMs);
      const taken = queue.splice(0, later < 0 ? queue.length : later);
      // Counts add up; gauges are what they were last.
      taken.forEach((snapshot, nth) => batch.add(nth === taken.length - 1 ? snapshot : { ...snapshot, gauges: [] }));
    }
    return batch;
  }
}
