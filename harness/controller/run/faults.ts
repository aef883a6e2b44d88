/**
 * The faults of a run. Each is logged before it acts. It is undone when its time is over, when the run ends in any
 * other way, and by the controller that adopts the run when this one is killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import { ControllerError } from '../../log/errors.js';
import type { EventHistory } from '../../log/event-log.js';
import type { FaultPhase } from '../../log/events.js';
import type { FaultInjector, FaultSubject } from '../../platform/platform.js';
import { messageOf } from '../../support/error-message.js';
import type { ActiveRun } from './active-run.js';

/** How long the platform may take to accept an order. */
const ORDER_MS = 30_000;
const UNDO_TRIES = 3;
const RETRY_MS = 500;

export interface RunFaults {
  /** Starts no more faults and undoes active ones. Resolves when the platform has accepted that; never rejects. */
  end(): Promise<void>;
}

/**
 * Called when the load has its start time.
 * @param injector undefined when the platform has none; it has then refused plans with faults
 * @param history of a run that is adopted
 */
export function conductFaults(run: ActiveRun, injector: FaultInjector | undefined, history?: EventHistory): RunFaults {
  if (injector === undefined) return { end: async () => undefined };
  const ended = new AbortController();
  // Nothing more is changed in a run that is being stopped, however long it waits for its last answers.
  const over = AbortSignal.any([ended.signal, run.stopping, run.over]);
  const all = Promise.all(run.plan.faults.map((fault) => new RunFault(run, injector, fault, over).conduct(history)));
  return {
    async end() {
      ended.abort();
      await all;
    },
  };
}

class RunFault {
  constructor(
    private readonly run: ActiveRun,
    private readonly injector: FaultInjector,
    private readonly fault: FaultPlan,
    private readonly over: AbortSignal,
  ) {}

  /** Never rejects: errors are in the log. */
  async conduct(history: EventHistory | undefined): Promise<void> {
    const { id } = this.fault;
    const had = (type: 'fault.ended' | 'fault.undone'): boolean =>
      history?.all(type).some(({ faultId }) => faultId === id) === true;
    const started = history?.all('fault.started').find(({ faultId }) => faultId === id);
    if (had('fault.undone')) return;
    const subject =
      started === undefined ? await this.begin() : { description: started.target, before: started.before };
    if (subject === undefined) return;
    if (!had('fault.ended')) {
      // An adopting controller cannot know whether the fault had acted; injecting it twice changes nothing.
      await this.injectAndWait(subject);
      this.run.record({ type: 'fault.ended', faultId: id, reason: this.over.aborted ? 'run-over' : 'time' });
    }
    await this.undo(subject);
  }

  /** Waits for the time of the fault, looks up what it will act on, and logs that. Undefined when it does not begin. */
  private async begin(): Promise<FaultSubject | undefined> {
    const { id, kind, atMs, untilMs } = this.fault;
    if (!(await this.run.reaches(atMs, this.over))) return undefined;
    if (this.run.tMs >= untilMs) return this.giveUp(new Error('no controller was running at the time when it was due'));
    try {
      const { description, before } = await this.injector.inspect(this.fault, AbortSignal.timeout(ORDER_MS));
      const logged = this.run.record({ type: 'fault.started', faultId: id, kind, target: description, before });
      return logged === undefined ? undefined : { description, before };
    } catch (error) {
      return this.giveUp(error);
    }
  }

  /** Injects the fault, then waits until its time or the run is over. */
  private async injectAndWait(subject: FaultSubject): Promise<void> {
    const { untilMs } = this.fault;
    if (this.over.aborted || this.run.tMs >= untilMs) return;
    try {
      await this.injector.inject(this.fault, subject, AbortSignal.timeout(ORDER_MS));
    } catch (error) {
      return this.giveUp(error);
    }
    const done = new AbortController();
    const effect = this.watchEffect(subject, 'injected', AbortSignal.any([this.over, done.signal]));
    await this.run.reaches(untilMs, this.over);
    done.abort();
    await effect;
  }

  private async undo(subject: FaultSubject): Promise<void> {
    const { id } = this.fault;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.injector.undo(this.fault, subject, AbortSignal.timeout(ORDER_MS));
        break;
      } catch (error) {
        if (tries === UNDO_TRIES) {
          const problem = messageOf(error);
          return void this.run.record({ type: 'fault.failed', faultId: id, phase: 'undone', problem });
        }
        await sleep(RETRY_MS);
      }
    }
    this.run.record({ type: 'fault.undone', faultId: id });
    if (!this.over.aborted) await this.watchEffect(subject, 'undone', this.over);
  }

  private async watchEffect(subject: FaultSubject, phase: FaultPhase, signal: AbortSignal): Promise<void> {
    try {
      const { settled, replicas } = await this.injector.waitForEffect(this.fault, subject, phase, signal);
      if (settled) this.run.record({ type: 'fault.settled', faultId: this.fault.id, phase });
      if (replicas.length > 0) this.run.record({ type: 'replicas.changed', replicas });
    } catch {
      // Without a `fault.settled` event the report does not say when the fault took effect.
    }
  }

  /** A run that lacks one of its faults is not the run that was requested, so it is stopped. */
  private giveUp(error: unknown): undefined {
    const { id, kind } = this.fault;
    const problem = messageOf(error);
    this.run.record({ type: 'fault.failed', faultId: id, phase: 'injected', problem });
    this.run.fail(
      new ControllerError(
        'FAULT_FAILED',
        `fault ${id} (${kind}) could not be injected: ${problem}`,
        '`swarmbench status` shows the state of the stack.',
      ),
    );
    this.run.stop('error', 'drain', `fault ${id} could not be injected`);
    return undefined;
  }
}
