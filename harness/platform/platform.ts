/**
 * Where programs run: the port that `local/` (child processes) and `swarm/` (dockerode) implement. Only `cli` knows
 * which one it is.
 */

import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { FaultPlan, Plan, Stickiness } from '../../scenarios/schema/plan.js';

export interface Platform {
  readonly name: 'local' | 'swarm';
  /**
   * What of this plan the platform cannot do, by name, in words; empty when all can be done. Pure: nothing is started.
   */
  refusals(plan: Plan): readonly string[];
  /** Brings up target and workers. On failure everything already started is gone again. */
  prepare(plan: Plan, context: PlatformContext, signal: AbortSignal): Promise<Environment>;
  /**
   * What it can change or break on purpose; absent: nothing, and `refusals` says so. Not of one environment, since a
   * controller that adopts a run has none.
   */
  readonly faults?: FaultInjector;
}

/**
 * Orders are taken at once and take effect later. All of them may be given twice: a controller may be killed between an
 * order and its note.
 */
export interface FaultInjector {
  /**
   * What the fault will act on, and what its undo must know; changes nothing. Logged before `inject`. @throws coded
   * errors when it cannot be made
   */
  look(fault: FaultPlan, signal: AbortSignal): Promise<FaultSubject>;
  inject(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  /** Back to how it was before, from what was logged. */
  undo(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  /** Waits until what was ordered is in effect; an abort ends the wait, not with an error. */
  effect(
    fault: FaultPlan,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect>;
}

export interface FaultSubject {
  /** For people: `mcp-server: 8 to 16 replicas`. */
  readonly words: string;
  /** How it was before; for whoever undoes it. JSON. */
  readonly before: Readonly<Record<string, unknown>>;
}

export interface FaultEffect {
  /** Whether it was seen to be in effect. */
  readonly settled: boolean;
  /** All replicas of the target that were seen last; empty when none were looked at. */
  readonly replicas: readonly Replica[];
}

export interface PlatformContext {
  readonly runId: string;
  readonly runFolder: string;
  /** Where workers find the controller. */
  readonly controllerUrl: string;
  readonly workerToken: string | undefined;
  /** How many worker processes; undefined: the platform decides. */
  readonly workers: number | undefined;
  /** Told of every process or service started, before it is used, so that a later controller can end it. */
  readonly started: (what: StartedProgram) => void;
}

export interface StartedProgram {
  readonly role: 'target' | 'worker';
  readonly name: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat where there is one: tells this process from a later one with the same number. */
  readonly startTicks: number | undefined;
}

export interface Environment {
  readonly endpoints: readonly Endpoint[];
  /**
   * Where the preflight asks, when not there: behind a gateway that sends each request elsewhere, no session would live
   * long enough.
   */
  readonly preflightEndpoints?: readonly Endpoint[];
  /**
   * Where clients go that are to be kept at their replicas in this way; without this function, all go to `endpoints`.
   */
  reach?(sticky: Stickiness): Pick<Environment, 'endpoints' | 'preflightEndpoints'>;
  readonly expectedWorkers: number;
  /** Where people find what its workers wrote, for the hints of errors: `logs/ in the run folder`. */
  readonly workerLogs: string;
  readonly replicas: readonly Replica[];
  /**
   * Where a worker that registered runs; undefined: it is none of this environment's. Without this function, workers
   * are known by the processes that were told, or are whoever registers.
   */
  placeOf?(worker: { readonly host: string }): Place | undefined;
  /** Nodes, kernel, versions, limits: what the report's environment section shows. */
  describe(): Promise<Readonly<Record<string, unknown>>>;
  /** Resource use since the last call, of everything this platform started (replicas and workers). */
  usage(): Promise<readonly UsageSample[]>;
  /** In words, a worker that ended by itself, so that nobody waits for it to register; undefined while none has. */
  brokenWorker?(): string | undefined;
  /** Everything gone, on its own time budget; safe to call twice. */
  teardown(): Promise<void>;
}

export interface Replica {
  readonly id: string;
  readonly node: string;
  readonly url: string;
  /** As the server calls itself, where that is known. */
  readonly host?: string;
  readonly slot?: number;
  readonly task?: string;
}

/** A task of a swarm, in words that people know from `docker service ps`. */
export interface Place {
  readonly service: string;
  readonly slot: number;
  readonly task: string;
  readonly node: string;
}

export interface UsageSample {
  readonly id: string;
  readonly role: 'target' | 'worker';
  /** Of one core. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly receivedBytesPerSecond?: number;
  readonly sentBytesPerSecond?: number;
}
