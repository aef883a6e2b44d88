import type { Controller } from '../../controller/controller.js';
import { createLocalPlatform } from '../../platform/local/local-platform.js';
import type { Report } from '../../report/schema.js';
import { writeReport } from '../../report/write-report.js';
import type { Host } from '../host.js';
import { packageRoot, packageVersion } from '../package-root.js';
import { createRunController } from '../run-controller.js';

export interface LocalControllerOptions {
  readonly host: Host;
  readonly resultsFolder: string;
  /** Engine threads of each worker; undefined: one for each core that the targets leave free. */
  readonly threads: number | undefined;
}

/**
 * The controller whose targets and workers are processes of this machine.
 * @param reports every report that is written, by its run's folder
 * @throws CliError RESULTS_NOT_WRITABLE
 */
export function createLocalController(
  { host, resultsFolder, threads }: LocalControllerOptions,
  reports: Map<string, Report> = new Map(),
): Controller {
  const platform = createLocalPlatform({
    host: host.processes,
    threads,
    packageRoot: packageRoot(),
    versions: { swarmbench: packageVersion(), node: host.nodeVersion },
  });
  return createRunController(resultsFolder, platform, async (folder) => {
    reports.set(folder, await writeReport(folder));
  });
}
