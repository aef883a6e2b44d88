import { profileSchema } from './profile-schema.js';
import { scenarioSchema } from './scenario-schema.js';
import type { KeyDescription } from './walk.js';
import { describeKeys } from './walk.js';

/** Every key of scenario files. A workload's keys are a profile's, plus `profile`, which alone is named here. */
export function scenarioKeys(): readonly KeyDescription[] {
  return describeKeys(scenarioSchema).filter(
    ({ path }) => !path.startsWith('workload.*.') || path === 'workload.*.profile',
  );
}

/** Paths of all keys: of scenario files, then of profile files as `profile.KEY`. `*` stands for any item or name. */
export function allKeyPaths(): readonly string[] {
  return [...scenarioKeys(), ...describeKeys(profileSchema, 'profile')].map(({ path }) => path);
}
