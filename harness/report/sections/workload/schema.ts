import { z } from 'zod';
import { count } from '../shared/fields.js';
import { trafficFields } from '../shared/traffic.js';

const profiles = z.array(
  z.strictObject({
    name: z.string(),
    load: z.string(),
    session: z.string(),
    window: z.string(),
    clients: count,
    ...trafficFields,
  }),
);

export const schema = {
  profiles,
  /** As it ran, redacted. */
  plan: z.record(z.string(), z.unknown()),
};

export type Profile = z.infer<typeof profiles>[number];

export interface ProfilesData {
  readonly profiles: readonly Profile[];
}
