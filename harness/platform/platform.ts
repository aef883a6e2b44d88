/**
 * Where programs run: the port that `local/` (child processes) and `swarm/` (dockerode) implement. Only `cli` knows
 * which of the two it is.
 */
import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { FaultPlan, Plan, Stickiness } from '../../scenarios/schema/plan.js';

export interface Platform {
  readonly name: 'local' | 'swarm';
  /** Parts of the plan that this platform cannot do, one sentence each. Pure. */
  refusals(plan: Plan): readonly string[];
  /** Starts target and workers. On failure, everything that was started already is gone again. */
  prepare(plan: Plan, context: PlatformContext, signal: AbortSignal): Promise<Environment>;
  /**
   * How it injects faults; undefined when it cannot, and then `refusals` says so. Not part of an environment, since a
   * controller that adopts a run has none.
   */
  readonly faults?: FaultInjector;
}

/**
 * Orders return at once and take effect later. Every order may be repeated: a controller may be killed between giving
 * an order and logging it.
 */
export interface FaultInjector {
  /**
   * Finds out what the fault will act on, and what its undo needs. Changes nothing; the result is logged before
   * `inject`.
   * @throws coded errors when the fault cannot be injected
   */
  inspect(fault: FaultPlan, signal: AbortSignal): Promise<FaultSubject>;
  inject(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  /** Restores what was before, as it was logged. */
  undo(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<void>;
  /** Waits until the order is in effect. An abort ends the wait without an error. */
  waitForEffect(
    fault: FaultPlan,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect>;
}

export interface FaultSubject {
  /** For people, such as `mcp-server: 8 to 16 replicas`. */
  readonly description: string;
  /** The state that `undo` has to restore. JSON. */
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
  /** How many worker processes; undefined: the platform decides; 0: none, because workers register by themselves. */
  readonly workers: number | undefined;
  /** Gets every process that is started, before it is used, so that a later controller can end it. */
  readonly started: (program: StartedProgram) => void;
}

export interface StartedProgram {
  readonly role: 'target' | 'worker';
  readonly name: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat where there is one: distinguishes this process from a later one with the same id. */
  readonly startTicks: number | undefined;
}

export interface Environment {
  readonly endpoints: readonly Endpoint[];
  /**
   * Where the preflight goes if not to `endpoints`: no session would live long enough behind a gateway that sends each
   * request to another replica.
   */
  readonly preflightEndpoints?: readonly Endpoint[];
  /** Where clients with this stickiness go; without this method, all of them go to `endpoints`. */
  reach?(sticky: Stickiness): Pick<Environment, 'endpoints' | 'preflightEndpoints'>;
  readonly expectedWorkers: number;
  /** Where people find the output of workers, for the hints of errors: `logs/ in the run folder`. */
  readonly workerLogs: string;
  readonly replicas: readonly Replica[];
  /**
   * Where a worker that registered runs; undefined when it does not belong to this environment. Without this method,
   * workers are known by the processes that were started, or every worker that registers counts.
   */
  placeOf?(worker: { readonly host: string }): Place | undefined;
  /** Nodes, kernel, versions, limits: the environment section of the report. */
  describe(): Promise<Readonly<Record<string, unknown>>>;
  /** Resource use, since the last call, of all replicas and workers that this platform started. */
  usage(): Promise<readonly UsageSample[]>;
  /** A sentence about a worker that ended by itself and will never register; undefined while there is none. */
  brokenWorker?(): string | undefined;
  /** Removes everything, on its own time budget. Safe to call twice. */
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

/** A task of a swarm, in the terms of `docker service ps`. */
export interface Place {
  readonly service: string;
  readonly slot: number;
  readonly task: string;
  readonly node: string;
}

export interface UsageSample {
  readonly id: string;
  readonly role: 'target' | 'worker';
  /** Share of one core. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly receivedBytesPerSecond?: number;
  readonly sentBytesPerSecond?: number;
}
