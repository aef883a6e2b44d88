import type { Stamp } from '../mcp/stamp.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

/** One virtual client as a publisher: numbers what it sends, and counts what of it the server confirmed. */
export class Publisher {
  readonly stamp: Stamp;
  private readonly operation: number;

  /** Precondition: the profile has an operation that publishes. */
  constructor(
    private readonly scheduler: Scheduler,
    profile: ProfileRuntime,
    private readonly slot: number,
  ) {
    this.operation = profile.stamped;
    this.stamp = { origin: scheduler.stampClock.origin, number: -1, dueUs: 0 };
  }

  /** This operation is about to be written. */
  sending(operation: number, dueMs: number): void {
    if (operation !== this.operation) return;
    this.stamp.number++;
    this.stamp.dueUs = this.scheduler.stampClock.dueUs(dueMs);
  }

  /** It has been answered, or never will be. */
  ended(series: number, confirmed: boolean): void {
    const scheduler = this.scheduler;
    if (scheduler.layout.place(series).operation !== this.operation) return;
    const flow = scheduler.flows.of(this.slot);
    if (confirmed) flow.published++;
    else flow.unconfirmed++;
  }
}
