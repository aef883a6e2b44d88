import { join } from 'node:path';
import { pid } from 'node:process';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { ControllerError, messageOf } from '../../log/errors.js';
import { files, type Secrets, writeSecrets } from '../../log/run-folder.js';
import { TelemetryLog } from '../../log/telemetry-log.js';
import type { Environment, Platform } from '../../platform/platform.js';
import type { Worker } from '../workers/worker-registry.js';
import type { RunCore } from './active-run.js';
import { awaitWorkers } from './await-workers.js';
import { type Deployment, deploy } from './deploy.js';
import { conductFaults, type RunFaults } from './faults.js';
import { loadPhase } from './load-phase.js';
import { preflight } from './preflight.js';
import { type PlannedRoute, plannedRoutes, settledRoutes, shownUrl } from './routes.js';
import type { SubmitOptions } from './run.js';
import { recordClock, runListener } from './run-listener.js';
import { startLoad } from './start-load.js';

interface ConductOptions {
  readonly platform: () => Platform;
  /** Where workers find this controller, and what lets them register. */
  readonly controllerUrl: string;
  readonly workerToken: string | undefined;
  readonly options: SubmitOptions;
}

/**
 * A run from taking it up to its last batch. Never throws: what ends it early is in the log.
 * @returns what was brought up and must be torn down; undefined when nothing was
 */
export async function conduct(run: RunCore, how: ConductOptions): Promise<Deployment | undefined> {
  const { signal } = run.stopping;
  let deployment: Deployment | undefined;
  let faults: RunFaults | undefined;
  try {
    signal.throwIfAborted();
    run.intake.open(await TelemetryLog.create(join(run.folder, files.telemetry)));
    run.record({ type: 'controller.listening', url: how.controllerUrl, pid });
    const platform = how.platform();
    deployment = await deploy(platform, run.plan, run.log, deployOptions(run, how), signal);
    const { environment } = deployment;
    await describe(run, environment);
    const workers = await takeWorkers(run, deployment, how.options.registeredWorkers);
    const { endpoints } = environment;
    const routes = plannedRoutes(run.plan, environment);
    writeSecrets(run.folder, secretsOf(endpoints, routes, workers));
    const [first] = workers;
    if (first === undefined) throw new Error('a run needs at least one worker');
    const workerLogs = workerLogsOf(environment, how.options.registeredWorkers);
    const { pinned, settledOperations } = await preflight(run, first, routes, workerLogs);
    signal.throwIfAborted();
    refuseLost(workers, workerLogs);
    startLoad(run, workers, { ...settledRoutes(endpoints, routes, pinned), settledOperations });
    faults = conductFaults(run, platform.faults);
    await loadPhase(run, () => environment.usage());
  } catch (error) {
    // After a stop every phase fails by being aborted, which says nothing new.
    if (!signal.aborted) run.fail(error);
  } finally {
    await faults?.end();
  }
  return deployment;
}

function deployOptions(
  run: RunCore,
  { controllerUrl, workerToken, options }: ConductOptions,
): Parameters<typeof deploy>[3] {
  const workers = options.registeredWorkers === undefined ? options.workers : 0;
  return { runId: run.id, runFolder: run.folder, controllerUrl, workerToken, workers };
}

async function describe(run: RunCore, environment: Environment): Promise<void> {
  const described = await environment.describe().catch((error: unknown) => ({ problem: messageOf(error) }));
  run.record({ type: 'environment', environment: described });
  run.aggregate.registerReplicas(environment.replicas);
  run.record({
    type: 'target.ready',
    endpoints: environment.endpoints.map(({ url }) => shownUrl(url)),
    replicas: environment.replicas,
  });
}

async function takeWorkers(
  run: RunCore,
  { environment, programs }: Deployment,
  registered: number | undefined,
): Promise<readonly Worker[]> {
  const { registry, timings } = run.shared;
  const placeOf = registered === undefined ? environment.placeOf : undefined;
  const wanted = {
    count: registered ?? environment.expectedWorkers,
    programs,
    placeOf,
    withinMs: timings.registerMs,
    broken: () => environment.brokenWorker?.(),
    workerLogs: workerLogsOf(environment, registered),
  };
  const workers = await awaitWorkers(registry, wanted, run.stopping.signal);
  const listener = runListener(run);
  return workers.map(({ id }) => {
    const worker = registry.assignTo(id, listener);
    const place = placeOf?.(worker.registration);
    run.record({
      type: 'worker.registered',
      workerId: id,
      worker: worker.registration,
      ...(place === undefined ? {} : { place }),
    });
    recordClock(run, worker);
    return worker;
  });
}

/** Workers that registered by themselves are nobody's here. */
function workerLogsOf({ workerLogs }: Environment, registered: number | undefined): string {
  return registered === undefined ? workerLogs : 'where they were started';
}

function refuseLost(workers: readonly Worker[], workerLogs: string): void {
  const lost = workers.filter((worker) => worker.lost).map((worker) => `${worker.id} on ${worker.registration.host}`);
  if (lost.length === 0) return;
  const what = `${lost.length} of ${workers.length} workers were lost before the load began: ${lost.join(', ')}`;
  throw new ControllerError('WORKERS_MISSING', what, `Look at their logs (${workerLogs}).`);
}

function secretsOf(
  endpoints: readonly Endpoint[],
  routes: readonly PlannedRoute[],
  workers: readonly Worker[],
): Secrets {
  return {
    endpoints: [...endpoints],
    ...(routes.length > 1
      ? { routes: routes.map(({ profiles, endpoints: own }) => ({ profiles: [...profiles], endpoints: [...own] })) }
      : {}),
    workers: Object.fromEntries(workers.map(({ id, token }) => [id, token])),
  };
}
