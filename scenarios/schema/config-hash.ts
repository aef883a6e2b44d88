import { createHash } from 'node:crypto';
import type { Plan } from './plan.js';

/**
 * Everything that decides the load, and the faults under it. Not where the load goes, how it is judged, or descriptions
 * for people.
 */
type Load = Pick<Plan, 'seed' | 'profiles' | 'stages' | 'trials' | 'faults' | 'drainMs' | 'limits' | 'stopWhen'>;

/** sha256 in hex. Two runs with equal hashes had the same load, so they may be compared. */
export function configHash(load: Load): string {
  const { seed, stages, trials, faults, drainMs, stopWhen } = load;
  // The longest answer is a limit of ours, not a part of the load.
  const { answerBytes: _, ...limits } = load.limits;
  const profiles = load.profiles.map(({ description: _, ...profile }) => profile);
  return createHash('sha256')
    .update(canonicalJson({ seed, profiles, stages, trials, faults, drainMs, limits, stopWhen }))
    .digest('hex');
}

/** JSON with the keys of every map in alphabetical order, so that equal values give equal text. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
