import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { plural, whole } from '../analysis/format.js';
import type { Report } from './schema.js';

/** `results/calibration.json`, which `swarmbench calibrate` writes: the most that this host's generator can do. */
const calibration = z.strictObject({
  schemaVersion: z.literal(1),
  /** ISO 8601. */
  at: z.string(),
  /** `os.hostname()` where the workers ran; a ceiling holds for that host alone. */
  host: z.string(),
  workers: z.number().int().positive(),
  /** One entry for each profile that was calibrated. */
  profiles: z.array(
    z.strictObject({
      profile: z.string(),
      /** The most successful operations a second with a generator that kept up. */
      ceilingPerSecond: z.number().positive(),
      latencyP99Ms: z.number().nonnegative().optional(),
    }),
  ),
});
export type Calibration = z.infer<typeof calibration>;

/** From this share of the ceiling on, the report has a note. */
const nearCeiling = 0.8;

/** @returns undefined when there is no file, or it is not a calibration */
export async function readCalibration(path: string): Promise<Calibration | undefined> {
  try {
    const parsed = calibration.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A note for each profile that came near the ceiling of this host's generator. */
export function ceilingNotes(report: Report, known: Calibration | undefined): readonly string[] {
  if (known === undefined || !report.workers.some(({ host }) => host === known.host)) return [];
  return report.profiles.flatMap(({ name, throughputPerSecond }) => {
    const ceiling = known.profiles.find(({ profile }) => profile === name)?.ceilingPerSecond;
    if (ceiling === undefined || throughputPerSecond === null || throughputPerSecond < nearCeiling * ceiling) return [];
    return [
      `profile ${name} ran at ${Math.round((throughputPerSecond / ceiling) * 100)} % of what this host's generator ` +
        `reached when it was calibrated (${whole(ceiling)}/s with ${plural(known.workers, 'worker')}, ${known.at}): ` +
        "its latencies may be the generator's own",
    ];
  });
}
