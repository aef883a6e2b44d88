/** The controller of the harness service in a stack: its targets and workers are services of that stack. */
import type { Controller } from '../../controller/controller.js';
import { exportMetrics } from '../../observe/export-metrics.js';
import { connectEngine } from '../../platform/swarm/engine/engine.js';
import { type ClusterView, clusterView } from '../../platform/swarm/run-on-stack/cluster-view.js';
import { wantedReplicas } from '../../platform/swarm/stack/service-progress.js';
import { StackError } from '../../platform/swarm/stack/stack-error.js';
import { type Stack, servicesOf } from '../../platform/swarm/stack/stack-objects.js';
import { createSwarmPlatform } from '../../platform/swarm/swarm-platform.js';
import type { StackGauges } from '../../platform/swarm/watch/stack-watch.js';
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
  readonly cluster: ClusterView & { gauges(): StackGauges };
  /**
   * Scales services down that a killed harness left running. To be called when no run is on. Returns the names of the
   * services that it changed.
   */
  returnToIdle(): Promise<readonly string[]>;
  /**
   * Whether another harness will take the place of this one when it ends: it is updated, moved or its engine restarts,
   * and not scaled to 0 or removed.
   */
  hasSuccessor(): Promise<boolean>;
}

/** Its service in the stack. */
const HARNESS = 'harness';
const IDLE_MS = 30_000;
const SUCCESSOR_MS = 2_000;
/**
 * Longer than a harness takes to be replaced and a look-up of its name to fail: 10 s where the name servers of the
 * machine do not answer.
 */
const LEASE_MS = 20_000;

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
  // For as long as the process lives.
  void platform.watch.run(new AbortController().signal);
  const finishRun = async (folder: string): Promise<void> => {
    // Before the report, because the run counts as over once that is written.
    await exportMetrics({ prometheusUrl, runFolder: folder }).catch((error: unknown) =>
      log(`${folder}: no metrics.json: ${messageOf(error)}`),
    );
    await writeReport(folder);
  };
  const controller = createRunController(resultsFolder, platform, finishRun, { leaseMs: LEASE_MS });
  return {
    controller,
    cluster: { ...clusterView({ engine, name: stack }), gauges: () => platform.watch.gauges() },
    returnToIdle: () => platform.returnToIdle(AbortSignal.timeout(IDLE_MS)),
    hasSuccessor: () => hasSuccessor({ engine, name: stack }),
  };
}

async function hasSuccessor(stack: Stack): Promise<boolean> {
  try {
    const own = (await servicesOf(stack, AbortSignal.timeout(SUCCESSOR_MS))).get(HARNESS);
    return own !== undefined && wantedReplicas(own) > 0;
  } catch (error) {
    // An engine that does not answer is ending itself, and starts its tasks again when it is back.
    return !(error instanceof StackError);
  }
}
