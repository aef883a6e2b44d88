import type { Plan } from './plan.js';

/** What a worker needs; structurally the protocol's WorkerPlan. */
export type WorkerPlan = Pick<Plan, 'scenario' | 'seed' | 'profiles' | 'stages' | 'drainMs' | 'limits'>;

export function workerPlan(plan: Plan): WorkerPlan {
  const { scenario, seed, profiles, stages, drainMs, limits } = plan;
  return { scenario, seed, profiles, stages, drainMs, limits };
}
