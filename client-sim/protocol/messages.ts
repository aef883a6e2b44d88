import { z } from 'zod';
import type { SlotSet } from '../../scenarios/schema/allocate.js';
import type { ServerCommand, TlsPlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import { settledOperation } from './settled-operation.js';

/**
 * The contract between controller and workers: HTTP/1.1, JSON, `protocol` in every body (design: worker-protocol). What
 * workers measure is in `telemetry.ts`.
 * Both ends parse with these schemas. Times ending in `Ms` are milliseconds; `*At` are epoch milliseconds of the
 * controller's clock unless the name says otherwise; `fromMs`/`toMs` count from the start of the run.
 */

export const PROTOCOL = 1;

const count = z.number().int().min(0);
const version = z.literal(PROTOCOL);

// ---- registration -------------------------------------------------------------------------------------------

export const registration = z.strictObject({
  protocol: version,
  host: z.string().min(1),
  pid: z.number().int().positive(),
  /** Wished place in the order of allocation (in a Swarm: the task's slot, from 1). */
  slot: z.number().int().positive().optional(),
  /** `bound`: what on its machine allows no more connections, in words. */
  capacity: z.strictObject({
    clients: count,
    ratePerSecond: z.number().min(0),
    connections: count,
    bound: z.string().optional(),
  }),
  threads: z.number().int().positive(),
  version: z.string(),
  /**
   * What names this very process; the same worker registering again (after a 404) keeps it, a restarted one does not.
   */
  incarnation: z.uuid(),
  /** The run it is still working on, so that a restarted controller can adopt it; sequences it still holds. */
  running: z
    .strictObject({ runId: z.string(), workerId: z.string(), oldestUnacknowledged: count.optional() })
    .optional(),
});
export type Registration = z.infer<typeof registration>;

export const registered = z.strictObject({
  protocol: version,
  workerId: z.string(),
  token: z.string(),
  heartbeatMs: z.number().positive(),
  leaseMs: z.number().positive(),
  now: z.number(),
});
export type Registered = z.infer<typeof registered>;

// ---- heartbeat ----------------------------------------------------------------------------------------------

/** The generator's view of itself over the last heartbeat interval (design: measurement 6). Ratios are 0..1. */
export const health = z.strictObject({
  /** Of one core, so 2 threads can reach 2. */
  cpu: z.number().min(0),
  memoryBytes: count,
  /** Worst engine thread; its waiting for a processor is part of it. */
  eventLoopUtilization: z.number().min(0),
  /**
   * Share of the interval in which an engine thread was ready to run and had no processor, the worst of them; absent:
   * not known.
   */
  processorWait: z.number().min(0).max(1).optional(),
  eventLoopDelayP99Ms: z.number().min(0),
  lagP99Ms: z.number().min(0),
  /** Share of the interval the cgroup held this process back; 0 where unknown. */
  throttledRatio: z.number().min(0),
  clients: count,
  sessions: count,
  connections: count,
  inFlight: count,
  /** Due and waiting for room. */
  queued: count,
  openFiles: count,
  openFilesLimit: count,
  localPorts: count.optional(),
  localPortsLimit: count.optional(),
  saturated: z.boolean(),
  /** In words, when saturated: what is at its limit. */
  reason: z.string().optional(),
});
export type Health = z.infer<typeof health>;

/** Offset to add to the worker's clock to get the controller's, and the half-width that is certain. */
export const clock = z.strictObject({ offsetMs: z.number(), errorMs: z.number().min(0), roundTrips: count });
export type Clock = z.infer<typeof clock>;

export const heartbeat = z.strictObject({
  protocol: version,
  /** Worker's own clock, epoch ms. */
  now: z.number(),
  health: health.optional(),
  clock: clock.optional(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const heartbeatAnswer = z.strictObject({ protocol: version, now: z.number() });
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswer>;

// ---- what the controller tells a worker (server-sent events; the event's id numbers them) -------------------------

/**
 * Where to send the load. Replica of a client = its allocation key modulo the number of endpoints of its transport; see
 * `endpointsFor`.
 */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Who speaks here; absent: any transport of the URL's scheme. */
  readonly transport?: TransportName;
  /** What to start, where there is nobody to connect to. */
  readonly server?: ServerCommand;
  /** For https; absent: the system's authorities, no certificate of ours. */
  readonly tls?: TlsPlan;
  /** Bearer tokens; the client with slot k sends token k modulo their number. */
  readonly tokens?: readonly string[];
  /** Addresses of the worker's machine to connect from, one after the other by client; absent: the kernel chooses. */
  readonly sources?: readonly string[];
  /** The one replica behind it, as that calls itself: for servers that do not name themselves in their answers. */
  readonly replica?: string;
  /** What it sets with Set-Cookie is kept for the length of a session and sent back. */
  readonly cookies?: boolean;
}

/** Decided once in preflight, then pinned. */
export interface PinnedProtocol {
  readonly era: 'legacy' | 'modern';
  readonly version: string;
  /** Legacy only: whether the server hands out session ids. */
  readonly sessions: boolean;
}

export interface PreflightOrder {
  readonly type: 'preflight';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly plan: WorkerPlan;
  readonly endpoints: readonly Endpoint[];
  readonly era: 'auto' | 'legacy' | 'modern';
  /** Where profiles differ: all of them, each in one; `endpoints` and `era` are then those of the first. */
  readonly routes?: readonly PreflightRoute[];
}

export interface AssignmentOrder {
  readonly type: 'assignment';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly workerId: string;
  /** Unique in the run; a worker may get several (slots of a lost worker). Repeats are ignored. */
  readonly assignmentId: string;
  readonly plan: WorkerPlan;
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
  /** Where profiles differ: all of them, each in one; `endpoints` and `pinned` are then those of the first. */
  readonly routes?: readonly Route[];
  readonly slots: readonly SlotSet[];
  /** Start of the run. In the past for slots that moved: the worker joins where the schedule stands now. */
  readonly startAt: number;
  /** Slots join at this run time; what was due before is not theirs. */
  readonly joinMs: number;
}

export interface AdjustOrder {
  readonly type: 'adjust';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly adjustId: string;
  /** Run time from which the load fraction is `load`, until the stage ends. */
  readonly atMs: number;
  readonly stage: number;
  readonly load: number;
  /** All profiles when absent. */
  readonly profile?: string;
}

export interface StopOrder {
  readonly type: 'stop';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  /** drain: no new operations, wait for answers; now: cut. */
  readonly mode: 'drain' | 'now';
}

export type Order = PreflightOrder | AssignmentOrder | AdjustOrder | StopOrder;

// ---- preflight result -------------------------------------------------------------------------------------------

const exchange = z.strictObject({
  step: z.string(),
  request: z.string(),
  response: z.string(),
  durationMs: z.number(),
  ok: z.boolean(),
  problem: z.string().optional(),
});
export type Exchange = z.infer<typeof exchange>;

const pinnedProtocol = z.strictObject({
  era: z.enum(['legacy', 'modern']),
  version: z.string(),
  sessions: z.boolean(),
});

export const preflightResult = z.strictObject({
  protocol: version,
  runId: z.string(),
  ok: z.boolean(),
  /** In words, when not ok: what was asked, what came, what to do. */
  problem: z.string().optional(),
  pinned: pinnedProtocol.optional(),
  /** For each of the order's routes, in its order; `pinned` is then that of the first. */
  routes: z.array(pinnedProtocol).optional(),
  serverInfo: z.strictObject({ name: z.string(), version: z.string() }).optional(),
  tools: z.array(z.string()),
  settledOperations: z.array(settledOperation).optional(),
  exchanges: z.array(exchange),
});
export type PreflightResult = z.infer<typeof preflightResult>;

/** Profiles (by index) that reach the target in a way of their own: by other endpoints, or in another era. */
export interface PreflightRoute {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly era: 'auto' | 'legacy' | 'modern';
}

/** The same once the era is settled. */
export interface Route {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
}
