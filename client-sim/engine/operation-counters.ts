import type { Stamp } from '../mcp/stamp.js';
import type { Failure } from '../measure/failure.js';
import { isByUs } from '../protocol/misbehaviour-key.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';

interface ClientDraw {
  readonly seed: number;
  readonly slot: number;
  sequence: number;
  readonly stamp?: Stamp;
}

/** Draws the operations of one client, and counts them in the series they belong to. */
export class OperationCounters {
  /** The draw of the operation that was last asked for. */
  readonly draw: ClientDraw;

  /** @param stamp of the client's publications; undefined: it publishes nothing */
  constructor(
    private readonly scheduler: Scheduler,
    private readonly profile: ProfileRuntime,
    slot: number,
    stamp: Stamp | undefined,
  ) {
    this.draw = { seed: scheduler.seed, slot, sequence: 0, ...(stamp === undefined ? {} : { stamp }) };
  }

  /** First series of the current stage; add the operation. */
  get base(): number {
    return this.scheduler.layout.base(this.scheduler.stage, this.profile.index);
  }

  operation(sequence: number): number {
    this.draw.sequence = sequence;
    return this.profile.operation(this.draw);
  }

  /** @param counter index in `COUNTERS` */
  count(counter: number, from: number, to: number): void {
    const { recorder } = this.scheduler;
    const { base } = this;
    for (let sequence = from; sequence < to; sequence++) recorder.count(base + this.operation(sequence), counter);
  }

  /** @param replica number of the replica at which it failed; 0: not known */
  failed(series: number, sinceDueMs: number, failure: Failure, replica: number): void {
    const { layout, nowMs, recorder } = this.scheduler;
    const operation = this.profile.operationName(layout.place(series).operation);
    recorder.recordFailed(series, sinceDueMs, failure, nowMs, { profile: this.profile.plan.name, operation });
    // A failure that we caused says nothing about the replica.
    if (replica > 0 && !isByUs(failure.category)) recorder.recordFailedAt(series, replica);
  }
}
