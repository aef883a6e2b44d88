/**
 * What `swarmbench calibrate` writes to `results/calibration.json`: how much this host's generator can do against the
 * `sink`.
 */
import { z } from 'zod';

export const calibration = z.strictObject({
  schemaVersion: z.literal(1),
  /** ISO 8601. */
  at: z.string(),
  /** `os.hostname()` of where the workers ran; a ceiling holds for its own host alone. */
  host: z.string(),
  workers: z.number().int().positive(),
  /** One entry a profile that was calibrated. */
  profiles: z.array(
    z.strictObject({
      profile: z.string(),
      /** Most successful operations a second with a fit generator. */
      ceilingPerSecond: z.number().positive(),
      latencyP99Ms: z.number().nonnegative().optional(),
    }),
  ),
});
export type Calibration = z.infer<typeof calibration>;

/** From this share of the ceiling on, a report says so in its first lines (design: measurement 11). */
export const nearCeiling = 0.8;
