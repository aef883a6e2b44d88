/** Wires the controller and the swarm platform for the harness service of a stack. */
import type { Controller } from '../../controller/controller.js';
import { exportMetrics } from '../../observe/export-metrics.js';
import { packageVersion } from '../package-root.js';
import { connectEngine } from '../../platform/swarm/engine/engine.js';
import { type ClusterView, clusterView } from '../../platform/swarm/run-on-stack/cluster-view.js';
import { createSwarmPlatform } from '../../platform/swarm/swarm-platform.js';
import { writeReport } from '../../report/write-report.js';
import type { Host } from '../host.js';
import { createRunController } from '../local/local-conductor.js';

interface SwarmControllerOptions {
  readonly host: Host;
  readonly resultsFolder: string;
  /** The stack that this harness is part of. */
  readonly stack: string;
  /** For the agents on the nodes. */
  readonly apiToken: string | undefined;
  readonly prometheusUrl: string;
}

export interface SwarmController {
  readonly controller: Controller;
  readonly cluster: ClusterView;
  /**
   * To be called when no run is on: puts to rest what a harness before this one left scaled. Gives the services it
   * found so.
   */
  putToRest(): Promise<readonly string[]>;
}

const REST_MS = 30_000;

/**
 * @throws EngineError for an address of the engine that is none; CliError for a results folder that cannot be written
 */
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
    // Before the report, so that whoever waits for the run finds it; what is missing in it is said in it.
    await exportMetrics({ prometheusUrl, runFolder: folder }).catch((error: unknown) =>
      log(`${folder}: no metrics.json: ${String(error)}`),
    );
    await writeReport(folder);
  });
  return {
    controller,
    cluster: clusterView({ engine, name: stack }),
    putToRest: () => platform.rest(AbortSignal.timeout(REST_MS)),
  };
}
