/** How many workers a plan gets, and from which services. Pure. */
import { peakRate } from '../../../../scenarios/schema/offered-load.js';
import type { Plan, ProfilePlan } from '../../../../scenarios/schema/plan.js';
import { SwarmPlatformError } from './swarm-platform-error.js';

/** The most that one worker gets unless the user sets the number of workers; well below what one core can do. */
const CLIENTS_PER_WORKER = 2_000;
const RATE_PER_WORKER = 20_000;

/** Begins the names of the services of workers. */
export const WORKERS = 'client-sim-';
/** For profiles that have no service of their own; every worker can play every profile. */
const DEFAULT_SERVICE = 'client-sim-normal';

/**
 * Workers by service, at least one each. A profile is played by `client-sim-<profile>` if the stack has it, else by
 * `client-sim-normal`, else by the alphabetically first `client-sim-*`.
 *
 * @param services names of the stack's services, as in its file
 * @param given how many workers in all; undefined: enough for the clients and rate of the plan
 * @throws SwarmPlatformError STACK_INCOMPLETE when the stack has no workers
 */
export function workersByService(
  plan: Plan,
  services: Iterable<string>,
  given: number | undefined,
): ReadonlyMap<string, number> {
  const workerServices = [...services].filter((name) => name.startsWith(WORKERS)).toSorted();
  const counts =
    given === undefined
      ? plan.profiles.map((profile) => workersNeededFor(plan, profile))
      : apportion(
          given,
          plan.profiles.map(({ clients }) => clients),
        );
  const workers = new Map<string, number>();
  for (const [index, profile] of plan.profiles.entries()) {
    const count = counts[index] ?? 0;
    const service = serviceFor(profile.name, workerServices);
    if (count > 0) workers.set(service, (workers.get(service) ?? 0) + count);
  }
  return workers;
}

/** How many a plan gets unless the user says otherwise. */
export function workersNeeded(plan: Plan): number {
  return plan.profiles.reduce((sum, profile) => sum + workersNeededFor(plan, profile), 0);
}

function serviceFor(profile: string, workerServices: readonly string[]): string {
  const preferred = [`${WORKERS}${profile}`, DEFAULT_SERVICE].find((name) => workerServices.includes(name));
  const service = preferred ?? workerServices[0];
  if (service !== undefined) return service;
  throw new SwarmPlatformError(
    'STACK_INCOMPLETE',
    `the stack has no service ${WORKERS}*, so nothing generates load`,
    '`swarmbench up` deploys a stack that has one',
  );
}

function workersNeededFor(plan: Plan, profile: ProfilePlan): number {
  const rate = Math.max(0, ...plan.stages.map((stage) => peakRate(stage, profile) ?? 0));
  const wanted = Math.max(1, Math.ceil(profile.clients / CLIENTS_PER_WORKER), Math.ceil(rate / RATE_PER_WORKER));
  return Math.min(wanted, profile.clients);
}

/** D'Hondt method: the next worker goes to the profile that would have the most clients per worker with it. */
function apportion(total: number, clients: readonly number[]): readonly number[] {
  const counts = clients.map(() => 0);
  for (let given = 0; given < total; given += 1) {
    const load = clients.map((count, index) => count / ((counts[index] ?? 0) + 1));
    const next = load.indexOf(Math.max(...load));
    counts[next] = (counts[next] ?? 0) + 1;
  }
  return counts;
}
