import { z } from 'zod';
import { profileSchema } from './profile-schema.js';
import { scenarioSchema } from './scenario-schema.js';

/** JSON Schema (2020-12) of a scenario file, for editors. */
export function scenarioJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(scenarioSchema, { io: 'input' }), title: 'swarmbench scenario' };
}

/** JSON Schema (2020-12) of a profile file, for editors. */
export function profileJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'swarmbench profile' };
}
