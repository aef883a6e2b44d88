import type { IdRange } from '../../../client-sim/protocol/id-ranges.js';
import {
  type AdjustOrder,
  type AssignmentOrder,
  type BeginOrder,
  type Endpoint,
  type PinnedProtocol,
  PROTOCOL,
  type PreflightOrder,
  type Route,
  type StopOrder,
} from '../../../client-sim/protocol/messages.js';
import { type SettledOperation, withSettled } from '../../../client-sim/protocol/settled-operation.js';
import { type Plan, workerPlan } from '../../../scenarios/schema/plan.js';
import type { PlannedRoute } from './routes.js';
import type { LoadAdjusted } from './run.js';
import type { Assignment } from './run-workers.js';

/** @throws RangeError without routes */
export function preflightOrder(runId: string, plan: Plan, planned: readonly PlannedRoute[]): PreflightOrder {
  const routes = planned.map(({ profiles, preflightEndpoints, era }) => ({
    profiles,
    endpoints: preflightEndpoints,
    era,
  }));
  const [first] = routes;
  if (first === undefined) throw new RangeError('a plan without profiles has no route to try');
  return {
    type: 'preflight',
    protocol: PROTOCOL,
    runId,
    plan: workerPlan(plan),
    endpoints: first.endpoints,
    era: first.era,
    ...(routes.length > 1 ? { routes } : {}),
  };
}

/** The part that all assignments of a run have in common. */
export interface RunStart {
  readonly startAt: number;
  /** By the ids of workers. */
  readonly idShares: ReadonlyMap<string, IdRange>;
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
  /** What the preflight found out about operations. */
  readonly settledOperations: readonly SettledOperation[];
  /** Only when profiles take different routes. */
  readonly routes?: readonly Route[];
}

export function assignmentOrder(
  runId: string,
  plan: Plan,
  { settledOperations, idShares, ...start }: RunStart,
  workerId: string,
  assignment: Assignment,
  joinMs: number,
): AssignmentOrder {
  const ids = idShares.get(workerId);
  const whole = { ...plan, profiles: withSettled(plan.profiles, settledOperations) };
  return {
    type: 'assignment',
    protocol: PROTOCOL,
    runId,
    workerId,
    ...assignment,
    plan: workerPlan(whole),
    ...start,
    joinMs,
    ...(ids === undefined ? {} : { ids }),
  };
}

export function beginOrder(runId: string, startAt: number): BeginOrder {
  return { type: 'begin', protocol: PROTOCOL, runId, startAt };
}

export function adjustOrder(runId: string, event: LoadAdjusted): AdjustOrder {
  const { adjustId, atMs, stage, load, profile } = event;
  return {
    type: 'adjust',
    protocol: PROTOCOL,
    runId,
    adjustId,
    atMs,
    stage,
    load,
    ...(profile === undefined ? {} : { profile }),
  };
}

export function stopOrder(runId: string, mode: 'drain' | 'now'): StopOrder {
  return { type: 'stop', protocol: PROTOCOL, runId, mode };
}
