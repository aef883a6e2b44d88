import { addMessages, type MessageCounts, noMessages, type Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { RunAggregate } from '../../analysis/merge/aggregate.js';
import { ControllerError } from '../../log/errors.js';
import type { TelemetryLine } from '../../log/events.js';
import type { TelemetryLog } from '../../log/telemetry-log.js';

export type IntakeResult =
  | {
      readonly kind: 'new';
      readonly acknowledged: number;
      readonly bytes: number;
      /** Why the batch, although it is stored, could not be merged. */
      readonly problem?: Error;
    }
  /** A repeat, or one before it is missing. Nothing was stored; the worker continues after `acknowledged`. */
  | { readonly kind: 'refused'; readonly acknowledged: number };

/**
 * Takes the batches of a run: each once, in order, and on the disk before it is acknowledged. The batches of one worker
 * are taken one after the other, so a repeat that arrives during its original is not counted twice.
 */
export class TelemetryIntake {
  private readonly lastSequences = new Map<string, number>();
  private readonly turns = new Map<string, Promise<unknown>>();
  private log: TelemetryLog | undefined;
  private readonly profiles: ReadonlySet<string>;
  private _counts = noMessages;

  constructor(
    private readonly plan: Plan,
    private readonly aggregate: Pick<RunAggregate, 'add'>,
  ) {
    this.profiles = new Set(plan.profiles.map(({ name }) => name));
  }

  get counts(): MessageCounts {
    return this._counts;
  }

  acknowledged(workerId: string): number {
    return this.lastSequences.get(workerId) ?? 0;
  }

  open(log: TelemetryLog): void {
    this.log = log;
  }

  /** A batch that the previous controller acknowledged. */
  restore(line: TelemetryLine): void {
    this.lastSequences.set(line.workerId, line.batch.sequence);
    this.count(line.workerId, line.batch);
  }

  /**
   * @param json the batch as it came
   * @throws ControllerError TELEMETRY_REFUSED (not of this plan), RUN_OVER, LOG_WRITE_FAILED
   */
  take(workerId: string, batch: Telemetry, receivedAt: string, json?: string): Promise<IntakeResult> {
    const turn = (this.turns.get(workerId) ?? Promise.resolve()).then(() =>
      this.takeBatch(workerId, batch, receivedAt, json),
    );
    this.turns.set(
      workerId,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async close(): Promise<void> {
    await Promise.all(this.turns.values());
    const { log } = this;
    // What comes while it closes is refused, not written to a closed file.
    this.log = undefined;
    await log?.close();
  }

  private async takeBatch(
    workerId: string,
    batch: Telemetry,
    receivedAt: string,
    json: string | undefined,
  ): Promise<IntakeResult> {
    const acknowledged = this.acknowledged(workerId);
    if (batch.sequence !== acknowledged + 1) return { kind: 'refused', acknowledged };
    if (this.log === undefined) throw new ControllerError('RUN_OVER', `run ${batch.runId} no longer takes telemetry`);
    this.check(workerId, batch);
    const bytes = await this.log.append({ workerId, receivedAt, batch }, json);
    this.lastSequences.set(workerId, batch.sequence);
    const kept = { kind: 'new', acknowledged: batch.sequence, bytes } as const;
    try {
      this.count(workerId, batch);
      return kept;
    } catch (error) {
      return { ...kept, problem: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  private check(workerId: string, batch: Telemetry): void {
    for (const series of [...batch.series, ...batch.sessions]) {
      if (series.stage >= this.plan.stages.length || !this.profiles.has(series.profile))
        throw new ControllerError(
          'TELEMETRY_REFUSED',
          `worker ${workerId}, batch ${batch.sequence}: ` +
            `the plan has no stage ${series.stage} of profile ${series.profile}`,
          'Worker and controller must be of the same version.',
        );
    }
  }

  private count(workerId: string, batch: Telemetry): void {
    this.aggregate.add(workerId, batch);
    this._counts = addMessages(this._counts, batch);
  }
}
