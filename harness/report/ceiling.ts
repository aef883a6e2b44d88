import { readFile } from 'node:fs/promises';
import type { Calibration } from '../analysis/calibration.js';
import { calibration, nearCeiling } from '../analysis/calibration.js';
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
