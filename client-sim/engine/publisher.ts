import type { Stamp } from '../mcp/stamp.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

/** One virtual client as a publisher: numbers its publications, and counts those that the server confirmed. */
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
    this.stamp = { origin: scheduler.publicationClock.origin, number: -1, dueUs: 0 };
  }

  /** This operation is about to be sent. */
  sending(operation: number, dueMs: number): void {
    if (operation !== this.operation) return;
    this.stamp.number++;
    this.stamp.dueUs = this.scheduler.publicationClock.dueUs(dueMs);
  }

  /** The operation was answered, or never will be. */
  ended(series: number, confirmed: boolean): void {
    const scheduler = this.scheduler;
    if (scheduler.layout.place(series).operation !== this.operation) return;
    const flow = scheduler.flows.of(this.slot);
    if (confirmed) flow.published++;
    else flow.unconfirmed++;
  }
}
