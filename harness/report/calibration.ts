import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Report } from './schema.js';

/** Undefined when this host was never calibrated, or the file is not one of ours. */
export async function readCalibration(path: string): Promise<Calibration | undefined> {
  try {
    const parsed = calibration.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** One note for each profile that came within 80 % of what this host's generator can do at all. */
export function ceilingNotes(report: Report, known: Calibration | undefined): readonly string[] {
  if (known === undefined || !report.workers.some(({ host }) => host === known.host)) return [];
  return report.profiles.flatMap(({ name, throughputPerSecond }) => {
    const ceiling = known.profiles.find(({ profile }) => profile === name)?.ceilingPerSecond;
    if (ceiling === undefined || throughputPerSecond === null || throughputPerSecond < nearCeiling * ceiling) return [];
    return [
      `profile ${name} ran at ${Math.round((throughputPerSecond / ceiling) * 100)} % of what this host's generator reached when it was calibrated ` +
        `(${Math.round(ceiling).toLocaleString('en-US')}/s with ${known.workers} ${known.workers === 1 ? 'worker' : 'workers'}, ${known.at}): its latencies may be the generator's own`,
    ];
  });
}

/**
 * What `swarmbench calibrate` writes to `results/calibration.json`: how much this host's generator can do against the
 * `sink`.
 */

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
const nearCeiling = 0.8;
