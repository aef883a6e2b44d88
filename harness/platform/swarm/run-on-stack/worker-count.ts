/** How many workers of which service a plan gets. Pure. */

import { peakRate } from '../../../../scenarios/schema/offered-load.js';
import type { Plan, ProfilePlan } from '../../../../scenarios/schema/plan.js';
import { SwarmPlatformError } from './swarm-platform-error.js';

/** What one worker is trusted with when nobody says how many there are to be; well below what one core can do. */
const CLIENTS_PER_WORKER = 2_000;
const RATE_PER_WORKER = 20_000;

const PREFIX = 'client-sim-';
/** Takes the profiles that have no service of their own; every worker can play every profile. */
const DEFAULT_SERVICE = 'client-sim-normal';

/**
 * Workers by service, 1 or more each. A profile is played by `client-sim-<profile>` where the stack has it, else by
 * `client-sim-normal`, else by the first `client-sim-*` of the alphabet.
 *
 * @param services of the stack, by the names of its file
 * @param given how many in all; undefined: enough for the plan's clients and rate
 * @throws SwarmPlatformError STACK_INCOMPLETE when no service makes load
 */
export function workersByService(
  plan: Plan,
  services: Iterable<string>,
  given: number | undefined,
): ReadonlyMap<string, number> {
  const makers = [...services].filter((name) => name.startsWith(PREFIX)).toSorted();
  const counts =
    given === undefined
      ? plan.profiles.map((profile) => workersNeededFor(plan, profile))
      : shareOut(
          given,
          plan.profiles.map(({ clients }) => clients),
        );
  const workers = new Map<string, number>();
  for (const [index, profile] of plan.profiles.entries()) {
    const count = counts[index] ?? 0;
    const service = serviceFor(profile.name, makers);
    if (count > 0) workers.set(service, (workers.get(service) ?? 0) + count);
  }
  return workers;
}

/** How many a plan gets when nobody says. */
export function workersNeeded(plan: Plan): number {
  return plan.profiles.reduce((sum, profile) => sum + workersNeededFor(plan, profile), 0);
}

function serviceFor(profile: string, makers: readonly string[]): string {
  const service = [`${PREFIX}${profile}`, DEFAULT_SERVICE].find((name) => makers.includes(name)) ?? makers[0];
  if (service !== undefined) return service;
  throw new SwarmPlatformError(
    'STACK_INCOMPLETE',
    `the stack has no service ${PREFIX}*, so nobody makes load`,
    '`swarmbench up` deploys a stack that has',
  );
}

function workersNeededFor(plan: Plan, profile: ProfilePlan): number {
  const rate = Math.max(0, ...plan.stages.map((stage) => peakRate(stage, profile) ?? 0));
  const wanted = Math.max(1, Math.ceil(profile.clients / CLIENTS_PER_WORKER), Math.ceil(rate / RATE_PER_WORKER));
  return Math.min(wanted, profile.clients);
}

/** By the method of D'Hondt: one after the other to whom has the most clients for each worker it would then have. */
function shareOut(total: number, clients: readonly number[]): readonly number[] {
  const counts = clients.map(() => 0);
  for (let given = 0; given < total; given += 1) {
    const load = clients.map((count, index) => count / ((counts[index] ?? 0) + 1));
    const neediest = load.indexOf(Math.max(...load));
    counts[neediest] = (counts[neediest] ?? 0) + 1;
  }
  return counts;
}
