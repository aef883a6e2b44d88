import { accessSync, constants, mkdirSync } from 'node:fs';
import { Controller } from '../controller/controller.js';
import type { Timings } from '../controller/timings.js';
import type { Platform } from '../platform/platform.js';
import { messageOf } from '../support/error-message.js';
import { CliError } from './cli-error.js';
import { packageVersion } from './package-root.js';

/**
 * The controller of this version of swarmbench on one platform.
 * @throws CliError RESULTS_NOT_WRITABLE
 */
export function createRunController(
  resultsFolder: string,
  platform: Platform,
  writeReport: (runFolder: string) => Promise<void>,
  timings: Partial<Timings> = {},
): Controller {
  ensureWritable(resultsFolder);
  return new Controller({ resultsFolder, platform: () => platform, writeReport, version: packageVersion(), timings });
}

/** Creates the folder. @throws CliError RESULTS_NOT_WRITABLE, before anything is started whose results would be lost */
export function ensureWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CliError({
      code: 'RESULTS_NOT_WRITABLE',
      message: `cannot write results to ${folder}`,
      where: messageOf(error),
      hint: 'choose another folder with --out',
    });
  }
}
