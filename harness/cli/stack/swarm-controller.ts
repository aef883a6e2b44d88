/** The controller of the harness service in a stack: its targets and workers are services of that stack. */
import type { Controller } from '../../controller/controller.js';
import { exportMetrics } from '../../observe/export-metrics.js';
import { connectEngine } from '../../platform/swarm/engine/engine.js';
import { type ClusterView, clusterView } from '../../platform/swarm/run-on-stack/cluster-view.js';
import { createSwarmPlatform } from '../../platform/swarm/swarm-platform.js';
import { writeReport } from '../../report/write-report.js';
import { messageOf } from '../../support/error-message.js';
import type { Host } from '../host.js';
import { packageVersion } from '../package-root.js';
import { createRunController } from '../run-controller.js';

interface SwarmControllerOptions {
  readonly host: Host;
  readonly resultsFolder: string;
  /** The stack that this harness is part of. */
  readonly stack: string;
  /** For calls to the agents on the nodes. */
  readonly apiToken: string | undefined;
  readonly prometheusUrl: string;
}

export interface SwarmController {
  readonly controller: Controller;
  readonly cluster: ClusterView;
  /**
   * Scales services down that a killed harness left running. To be called when no run is on. Returns the names of the
   * services that it changed.
   */
  returnToIdle(): Promise<readonly string[]>;
}

const IDLE_MS = 30_000;

/** @throws EngineError for a DOCKER_HOST that is not an address; CliError RESULTS_NOT_WRITABLE */
export function createSwarmController({
  host,
  resultsFolder,
  stack,
  apiToken,
  prometheusUrl,
}: SwarmControllerOptions): SwarmController {
  const versions = { swarmbench: packageVersion(), node: host.nodeVersion };
  const log = (line: string): void => host.stderr.write(`warning: ${line}\n`);
  const engine = connectEngine(host.env);
  const platform = createSwarmPlatform({ engine, stack, apiToken, versions, log });
  const controller = createRunController(resultsFolder, platform, async (folder) => {
    // Before the report, because the run counts as over once that is written.
    await exportMetrics({ prometheusUrl, runFolder: folder }).catch((error: unknown) =>
      log(`${folder}: no metrics.json: ${messageOf(error)}`),
    );
    await writeReport(folder);
  });
  return {
    controller,
    cluster: clusterView({ engine, name: stack }),
    returnToIdle: () => platform.returnToIdle(AbortSignal.timeout(IDLE_MS)),
  };
}
