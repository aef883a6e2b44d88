/**
 * The faults of a run: each is written to the log before it acts, and undone at its end, at any other end of the run,
 * and by the controller that adopts the run when this one is killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import { ControllerError, messageOf } from '../../log/errors.js';
import type { EventHistory } from '../../log/event-log.js';
import type { FaultPhase } from '../../log/events.js';
import type { FaultInjector, FaultSubject } from '../../platform/platform.js';
import { type RunCore, until } from './active-run.js';

/** How long the platform may take to take an order. */
const ORDER_MS = 30_000;
const UNDO_TRIES = 3;
const RETRY_MS = 500;

export interface RunFaults {
  /**
   * No fault begins any more, those that are on are undone. Resolves when the platform has taken all of that; never
   * rejects.
   */
  end(): Promise<void>;
}

/**
 * To be called when the load has its start.
 * @param injector undefined where the platform has none; plans with faults were refused then
 * @param history of a run that is adopted
 */
export function conductFaults(run: RunCore, injector: FaultInjector | undefined, history?: EventHistory): RunFaults {
  if (injector === undefined) return { end: async () => undefined };
  const ended = new AbortController();
  // A run that is being stopped is not changed any further, however long its last answers take.
  const over = AbortSignal.any([ended.signal, run.stopping.signal, run.over.signal]);
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
    private readonly run: RunCore,
    private readonly injector: FaultInjector,
    private readonly fault: FaultPlan,
    private readonly over: AbortSignal,
  ) {}

  /** Never rejects: what goes wrong is in the log. */
  async conduct(history: EventHistory | undefined): Promise<void> {
    const { id } = this.fault;
    const had = (type: 'fault.ended' | 'fault.undone'): boolean =>
      history?.all(type).some(({ faultId }) => faultId === id) === true;
    const started = history?.all('fault.started').find(({ faultId }) => faultId === id);
    if (had('fault.undone')) return;
    const subject = started === undefined ? await this.begin() : { words: started.target, before: started.before };
    if (subject === undefined) return;
    if (!had('fault.ended')) {
      // Whether it had acted when its controller was killed is not known; to ask again changes nothing when it had.
      await this.last(subject);
      this.run.record({ type: 'fault.ended', faultId: id, reason: this.over.aborted ? 'run-over' : 'time' });
    }
    await this.undo(subject);
  }

  /** Waits for its time, looks at what it will act on, and writes that down. Undefined: it does not begin. */
  private async begin(): Promise<FaultSubject | undefined> {
    const { id, kind, atMs, untilMs } = this.fault;
    if (!(await this.timeIs(atMs))) return undefined;
    if (this.run.tMs >= untilMs)
      return this.giveUp(new Error('its time had passed before a controller was there to make it'));
    try {
      const { words, before } = await this.injector.look(this.fault, AbortSignal.timeout(ORDER_MS));
      const logged = this.run.record({ type: 'fault.started', faultId: id, kind, target: words, before });
      return logged === undefined ? undefined : { words, before };
    } catch (error) {
      return this.giveUp(error);
    }
  }

  /** Acts, and waits until its time is over, or the run. */
  private async last(subject: FaultSubject): Promise<void> {
    const { untilMs } = this.fault;
    if (this.over.aborted || this.run.tMs >= untilMs) return;
    try {
      await this.injector.inject(this.fault, subject, AbortSignal.timeout(ORDER_MS));
    } catch (error) {
      return this.giveUp(error);
    }
    const done = new AbortController();
    const effect = this.watchEffect(subject, 'injected', AbortSignal.any([this.over, done.signal]));
    await this.timeIs(untilMs);
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
        if (tries === UNDO_TRIES)
          return void this.run.record({
            type: 'fault.failed',
            faultId: id,
            phase: 'undone',
            problem: messageOf(error),
          });
        await sleep(RETRY_MS);
      }
    }
    this.run.record({ type: 'fault.undone', faultId: id });
    if (!this.over.aborted) await this.watchEffect(subject, 'undone', this.over);
  }

  private async watchEffect(subject: FaultSubject, phase: FaultPhase, signal: AbortSignal): Promise<void> {
    try {
      const { settled, replicas } = await this.injector.effect(this.fault, subject, phase, signal);
      if (settled) this.run.record({ type: 'fault.settled', faultId: this.fault.id, phase });
      if (replicas.length === 0) return;
      this.run.record({ type: 'replicas.changed', replicas });
      this.run.aggregate.registerReplicas(replicas);
    } catch {
      // That it took effect cannot be said then, and the report does not.
    }
  }

  private timeIs(atMs: number): Promise<boolean> {
    const { start, shared } = this.run;
    return until((start?.startAt ?? 0) + atMs, shared.now, this.over);
  }

  /** A run without a fault that it was to have is not the run that was asked for. */
  private giveUp(error: unknown): undefined {
    const { id, kind } = this.fault;
    const problem = messageOf(error);
    this.run.record({ type: 'fault.failed', faultId: id, phase: 'injected', problem });
    this.run.fail(
      new ControllerError(
        'FAULT_FAILED',
        `fault ${id} (${kind}) could not be made: ${problem}`,
        '`swarmbench status` shows how the stack is.',
      ),
    );
    this.run.stop('error', 'drain', `fault ${id} could not be made`);
    return undefined;
  }
}
