import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import { type Calibration, calibration } from '../../analysis/calibration.js';

/**
 * New figures replace the old ones of the same profiles; another host's or another number of workers' are all replaced.
 */
export function mergeCalibration(known: Calibration | undefined, fresh: Calibration): Calibration {
  const same = known !== undefined && known.host === fresh.host && known.workers === fresh.workers;
  const kept = same
    ? known.profiles.filter(({ profile }) => fresh.profiles.every((one) => one.profile !== profile))
    : [];
  return { ...fresh, profiles: [...kept, ...fresh.profiles] };
}

/** Undefined when there is none, or it is not one of ours. */
export function readCalibrationFile(file: string): Calibration | undefined {
  try {
    return calibration.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function writeCalibrationFile(file: string, value: Calibration): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(`${file}.part`, file);
}
