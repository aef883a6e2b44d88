/**
 * The faults of a run: each is written to the log before it acts, and undone at its end, at any other end of the run,
 * and by the controller that adopts the run when this one is killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import type { FaultInjector, FaultSubject } from '../../platform/platform.js';
import type { Past } from '../adopt/past.js';
import { ControllerError, messageOf } from '../errors.js';
import type { FaultPhase } from '../events.js';
import type { RunCore } from './core.js';
import { until } from './moments.js';

/** How long the platform may take to take an order. */
const ORDER_MS = 30_000;
const UNDO_TRIES = 3;
const RETRY_MS = 500;

export interface FaultsOfRun {
  /**
   * No fault begins any more, those that are on are undone. Resolves when the platform has taken all of that; never
   * rejects.
   */
  end(): Promise<void>;
}

/**
 * To be called when the load has its start.
 * @param injector undefined where the platform has none; plans with faults were refused then
 * @param past of a run that is adopted
 */
export function conductFaults(core: RunCore, injector: FaultInjector | undefined, past?: Past): FaultsOfRun {
  if (injector === undefined) return { end: async () => undefined };
  const ended = new AbortController();
  // A run that is being stopped is not changed any further, however long its last answers take.
  const over = AbortSignal.any([ended.signal, core.stopping.signal, core.over.signal]);
  const all = Promise.all(core.plan.faults.map((fault) => new FaultOfRun(core, injector, fault, over).conduct(past)));
  return {
    async end() {
      ended.abort();
      await all;
    },
  };
}

class FaultOfRun {
  constructor(
    private readonly core: RunCore,
    private readonly injector: FaultInjector,
    private readonly fault: FaultPlan,
    private readonly over: AbortSignal,
  ) {}

  /** Never rejects: what goes wrong is in the log. */
  async conduct(past: Past | undefined): Promise<void> {
    const { id } = this.fault;
    const had = (type: 'fault.ended' | 'fault.undone'): boolean =>
      past?.all(type).some(({ faultId }) => faultId === id) === true;
    const started = past?.all('fault.started').find(({ faultId }) => faultId === id);
    if (had('fault.undone')) return;
    const subject = started === undefined ? await this.begin() : { words: started.target, before: started.before };
    if (subject === undefined) return;
    if (!had('fault.ended')) {
      // Whether it had acted when its controller was killed is not known; to ask again changes nothing when it had.
      await this.last(subject);
      this.core.record({ type: 'fault.ended', faultId: id, reason: this.over.aborted ? 'run-over' : 'time' });
    }
    await this.undo(subject);
  }

  /** Waits for its time, looks at what it will act on, and writes that down. Undefined: it does not begin. */
  private async begin(): Promise<FaultSubject | undefined> {
    const { id, kind, atMs, untilMs } = this.fault;
    if (!(await this.timeIs(atMs))) return undefined;
    if (this.core.tMs >= untilMs)
      return this.giveUp(new Error('its time had passed before a controller was there to make it'));
    try {
      const { words, before } = await this.injector.look(this.fault, AbortSignal.timeout(ORDER_MS));
      const logged = this.core.record({ type: 'fault.started', faultId: id, kind, target: words, before });
      return logged === undefined ? undefined : { words, before };
    } catch (error) {
      return this.giveUp(error);
    }
  }

  /** Acts, and waits until its time is over, or the run. */
  private async last(subject: FaultSubject): Promise<void> {
    const { untilMs } = this.fault;
    if (this.over.aborted || this.core.tMs >= untilMs) return;
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
          return void this.core.record({
            type: 'fault.failed',
            faultId: id,
            phase: 'undone',
            problem: messageOf(error),
          });
        await sleep(RETRY_MS);
      }
    }
    this.core.record({ type: 'fault.undone', faultId: id });
    if (!this.over.aborted) await this.watchEffect(subject, 'undone', this.over);
  }

  private async watchEffect(subject: FaultSubject, phase: FaultPhase, signal: AbortSignal): Promise<void> {
    try {
      const { settled, replicas } = await this.injector.effect(this.fault, subject, phase, signal);
      if (settled) this.core.record({ type: 'fault.settled', faultId: this.fault.id, phase });
      if (replicas.length === 0) return;
      this.core.record({ type: 'replicas.changed', replicas });
      this.core.aggregate.knowReplicas(replicas);
    } catch {
      // That it took effect cannot be said then, and the report does not.
    }
  }

  private timeIs(atMs: number): Promise<boolean> {
    const { start, shared } = this.core;
    return until((start?.startAt ?? 0) + atMs, shared.now, this.over);
  }

  /** A run without a fault that it was to have is not the run that was asked for. */
  private giveUp(error: unknown): undefined {
    const { id, kind } = this.fault;
    const problem = messageOf(error);
    this.core.record({ type: 'fault.failed', faultId: id, phase: 'injected', problem });
    this.core.fail(
      new ControllerError(
        'FAULT_FAILED',
        `fault ${id} (${kind}) could not be made: ${problem}`,
        '`swarmbench status` shows how the stack is.',
      ),
    );
    this.core.stop('error', 'drain', `fault ${id} could not be made`);
    return undefined;
  }
}
