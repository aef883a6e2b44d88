/**
 * The faults of a run. Each is logged before it acts: the log is the journal. It is undone when its time is over, when
 * somebody halts it, when the run ends in any other way, and by the controller that adopts the run when this one is
 * killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRamp, type Ramp } from '../../../scenarios/schema/faults/fault-kind.js';
import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import { ControllerError } from '../../log/errors.js';
import type { EventHistory } from '../../log/event-log.js';
import type { EventOf } from '../../log/events.js';
import {
  type FaultContext,
  type FaultEffect,
  type FaultInjector,
  FaultRefused,
  type FaultSubject,
  type StartedProgram,
} from '../../platform/platform.js';
import { messageOf } from '../../support/error-message.js';
import type { ActiveRun } from './active-run.js';

/** How long the platform may take to accept an order. */
const ORDER_MS = 30_000;
const UNDO_TRIES = 3;
const RETRY_MS = 500;
/** How long the platform may take until an undo is seen in effect. */
const VERIFY_MS = 60_000;
const MAINTAIN_MS = 1000;
/** Strength changes in steps. */
const RAMP_STEP_MS = 250;

export interface RunFaults {
  /** Starts no more faults and undoes active ones. Resolves when that is verified or given up; never rejects. */
  end(): Promise<void>;
}

/**
 * Called when the load has its start time.
 * @param injector undefined when the platform has none; it has then refused plans with faults
 * @param history of a run that is adopted
 * @param started called with each program that a fault or its undo has started
 */
export function conductFaults(
  run: ActiveRun,
  injector: FaultInjector | undefined,
  started: (program: StartedProgram) => void,
  history?: EventHistory,
): RunFaults {
  if (injector === undefined || run.plan.faults.length === 0) return { end: async () => undefined };
  const ended = new AbortController();
  // Nothing more is changed in a run that is being stopped, however long it waits for its last answers.
  const over = AbortSignal.any([ended.signal, run.stopping, run.over]);
  const all = Promise.all(
    run.plan.faults.map((fault) => new RunFault(run, injector, fault, over, started).conduct(history)),
  );
  return {
    async end() {
      ended.abort();
      await all;
    },
  };
}

class RunFault {
  /** Aborted when the fault must not begin or must end before its time. */
  private readonly cut: AbortSignal;

  constructor(
    private readonly run: ActiveRun,
    private readonly injector: FaultInjector,
    private readonly fault: FaultPlan,
    private readonly over: AbortSignal,
    private readonly started: (program: StartedProgram) => void,
  ) {
    this.cut = AbortSignal.any([over, run.halted]);
  }

  /** Never rejects: errors are in the log. */
  async conduct(history: EventHistory | undefined): Promise<void> {
    const { id } = this.fault;
    const had = (type: 'fault.ended' | 'fault.undone'): boolean =>
      history?.all(type).some(({ faultId }) => faultId === id) === true;
    if (had('fault.undone')) return;
    const logged = history?.all('fault.started').find(({ faultId }) => faultId === id);
    if (history?.all('fault.ordered').some((order) => order.faultId === id && order.outcome === 'refused')) return;
    const subject = logged === undefined ? await this.begin() : { ...subjectOf(logged), runFolder: this.run.folder };
    if (subject === undefined) return;
    if (!had('fault.ended')) {
      // An adopting controller cannot know whether the fault had acted; injecting it twice changes nothing.
      if ((await this.inject(subject)) === 'refused') return;
      this.run.record({ type: 'fault.ended', faultId: id, reason: this.reason() });
    }
    await this.undo(subject);
  }

  private reason(): EventOf<'fault.ended'>['reason'] {
    if (this.over.aborted) return 'run-over';
    return this.run.halted.aborted ? 'halted' : 'time';
  }

  /** Waits for the time of the fault, looks up what it will act on, and logs that. Undefined when it does not begin. */
  private async begin(): Promise<FaultSubject | undefined> {
    const { id, kind, name, atMs, untilMs } = this.fault;
    if (!(await this.run.reaches(atMs, this.cut))) return undefined;
    if (this.run.tMs >= untilMs) return this.giveUp(new Error('no controller was running at the time when it was due'));
    try {
      const subject = await this.injector.inspect(this.fault, this.context(), AbortSignal.timeout(ORDER_MS));
      if (this.cut.aborted) return undefined;
      const { description, replicas, before } = subject;
      const logged = this.run.record({
        type: 'fault.started',
        faultId: id,
        kind,
        name,
        target: description,
        ...(replicas.length === 0 ? {} : { replicas }),
        before,
      });
      return logged === undefined ? undefined : { ...subject, runFolder: this.run.folder };
    } catch (error) {
      return this.giveUp(error);
    }
  }

  private context(): FaultContext {
    const { id, folder, plan } = this.run;
    return { runId: id, runFolder: folder, seed: plan.seed, sessions: sessionsByReplica(this.run) };
  }

  /** Injects the fault, then keeps it up until its time or the run is over, or, where it acts once, was seen. */
  private async inject(subject: FaultSubject): Promise<'refused' | 'injected'> {
    const { id, untilMs } = this.fault;
    if (this.cut.aborted || this.run.tMs >= untilMs) return 'injected';
    try {
      await this.injector.inject(this.fault, subject, this.progress(), AbortSignal.timeout(ORDER_MS));
      this.run.record({ type: 'fault.ordered', faultId: id, outcome: 'applied' });
    } catch (error) {
      const outcome = error instanceof FaultRefused ? 'refused' : 'unknown';
      this.run.record({ type: 'fault.ordered', faultId: id, outcome, problem: messageOf(error) });
      this.giveUp(error);
      return outcome === 'refused' ? 'refused' : 'injected';
    }
    const done = new AbortController();
    const lasting = AbortSignal.any([this.cut, done.signal]);
    const witness = this.awaitEffect(subject, 'injected', lasting);
    if (this.fault.once === true) void witness.then(({ settled }) => settled && done.abort());
    await this.keepUp(subject, lasting);
    done.abort();
    const { settled, evidence } = await witness;
    if (!settled) this.run.record({ type: 'fault.unwitnessed', faultId: id, why: this.unwitnessed(evidence) });
    return 'injected';
  }

  /** @param seen what was seen instead */
  private unwitnessed(seen: string | undefined): string {
    const { kind } = this.fault;
    const seconds = Math.max(0, Math.min(this.run.tMs, this.fault.untilMs) - this.fault.atMs) / 1000;
    const instead = seen === undefined ? '' : ` (${seen})`;
    return `in ${seconds.toFixed(1)} s nothing showed that ${kind} had an effect${instead}`;
  }

  private async keepUp(subject: FaultSubject, lasting: AbortSignal): Promise<void> {
    const { untilMs } = this.fault;
    const stepMs = changes(this.fault) ? RAMP_STEP_MS : MAINTAIN_MS;
    if (this.injector.maintain === undefined) return void (await this.run.reaches(untilMs, lasting));
    while (this.run.tMs < untilMs) {
      if (!(await this.run.reaches(Math.min(untilMs, this.run.tMs + stepMs), lasting))) return;
      if (this.run.tMs >= untilMs) return;
      try {
        const struck = await this.injector.maintain(
          this.fault,
          subject,
          this.progress(),
          AbortSignal.any([lasting, AbortSignal.timeout(ORDER_MS)]),
        );
        if (struck.length > 0) this.run.record({ type: 'fault.followed', faultId: this.fault.id, struck });
      } catch {
        // What was not struck now is struck the next time; the witness tells whether the fault is in effect at all.
      }
    }
  }

  /** Share of the fault's time that is over. */
  private progress(): number {
    const { atMs, untilMs } = this.fault;
    return Math.min(1, Math.max(0, (this.run.tMs - atMs) / Math.max(1, untilMs - atMs)));
  }

  private async undo(subject: FaultSubject): Promise<void> {
    const { id } = this.fault;
    const forced = await this.giveUndo(subject);
    if (forced instanceof Error) {
      const problem = forced.message;
      this.run.record({ type: 'fault.failed', faultId: id, phase: 'undone', problem });
      this.run.record({ type: 'fault.left', faultId: id, what: problem, mend: `swarmbench heal ${this.run.id}` });
      return;
    }
    this.run.record({ type: 'fault.undone', faultId: id, ...(forced ? { forced: true as const } : {}) });
    const { settled, left = [] } = await this.awaitEffect(subject, 'undone', AbortSignal.timeout(VERIFY_MS));
    for (const { what, mend } of left) this.run.record({ type: 'fault.left', faultId: id, what, mend });
    if (!settled && left.length === 0) {
      const what = `within ${VERIFY_MS / 1000} s nothing showed that everything is as before`;
      this.run.record({ type: 'fault.left', faultId: id, what, mend: `swarmbench heal ${this.run.id}` });
    }
  }

  /** Whether it took the second way, or why neither way worked. */
  private async giveUndo(subject: FaultSubject): Promise<boolean | Error> {
    for (let tries = 1; ; tries += 1) {
      try {
        const programs = await this.injector.undo(this.fault, subject, AbortSignal.timeout(ORDER_MS));
        for (const program of programs) this.started(program);
        return false;
      } catch (error) {
        if (tries < UNDO_TRIES) await sleep(RETRY_MS);
        else if (this.injector.undoByForce === undefined) return new Error(messageOf(error));
        else break;
      }
    }
    try {
      const programs = await this.injector.undoByForce(this.fault, subject, AbortSignal.timeout(ORDER_MS));
      for (const program of programs) this.started(program);
      return true;
    } catch (error) {
      return new Error(messageOf(error));
    }
  }

  private async awaitEffect(
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect> {
    try {
      const effect = await this.injector.waitForEffect(this.fault, subject, phase, signal);
      const { settled, evidence, replicas } = effect;
      const shown = evidence === undefined ? {} : { evidence };
      if (settled) this.run.record({ type: 'fault.settled', faultId: this.fault.id, phase, ...shown });
      if (replicas.length > 0) this.run.record({ type: 'replicas.changed', replicas });
      return effect;
    } catch {
      return { settled: false, replicas: [] };
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
        '`swarmbench plan` shows what a scenario would do to whom, and what cannot be done here.',
      ),
    );
    this.run.stop('error', 'drain', `fault ${id} could not be injected`);
    return undefined;
  }
}

/** Of the stage that runs, or of the one before while nothing has answered in it. */
function sessionsByReplica({ plan, tMs, aggregate }: ActiveRun): ReadonlyMap<string, number> {
  const begun = plan.stages.filter(({ startMs }) => startMs <= tMs).toReversed();
  for (const { index } of begun) {
    const { replicas } = aggregate.select({ stages: [index] });
    if (replicas.length > 0) return new Map(replicas.map(({ name, counts }) => [name, counts.sessions]));
  }
  return new Map();
}

function subjectOf({ target, replicas = [], before }: EventOf<'fault.started'>): FaultSubject {
  return { description: target, replicas, before };
}

/** Whether its strength is a ramp. */
function changes(fault: FaultPlan): boolean {
  return Object.values(fault).some((value) => isStrength(value) && isRamp(value));
}

function isStrength(value: unknown): value is Ramp {
  return typeof value === 'object' && value !== null && 'from' in value && 'to' in value;
}
