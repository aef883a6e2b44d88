import { join } from 'node:path';
import { pid } from 'node:process';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import type { Environment, Platform } from '../../platform/platform.js';
import { ControllerError, messageOf } from '../errors.js';
import { files, type Secrets, writeSecrets } from '../log/run-folder.js';
import { TelemetryLog } from '../log/telemetry-log.js';
import type { Worker } from '../workers/registry.js';
import { begin } from './begin.js';
import type { RunCore } from './core.js';
import { type Deployment, deploy } from './deploy.js';
import { employer, recordClock } from './employer.js';
import { conductFaults, type FaultsOfRun } from './faults.js';
import { gather } from './gather.js';
import { loadPhase } from './load-phase.js';
import { preflight } from './preflight.js';
import { type PlannedRoute, plannedRoutes, runRoutes } from './routes.js';
import type { SubmitOptions } from './run.js';
import { shownUrl } from './shown-url.js';

export interface Conduct {
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
export async function conduct(core: RunCore, how: Conduct): Promise<Deployment | undefined> {
  const { signal } = core.stopping;
  let deployment: Deployment | undefined;
  let faults: FaultsOfRun | undefined;
  try {
    signal.throwIfAborted();
    core.intake.open(await TelemetryLog.create(join(core.folder, files.telemetry)));
    core.record({ type: 'controller.listening', url: how.controllerUrl, pid });
    const platform = how.platform();
    deployment = await deploy(platform, core.plan, core.log, deployOptions(core, how), signal);
    const { environment } = deployment;
    await describe(core, environment);
    const workers = await takeWorkers(core, deployment, how.options.registeredWorkers);
    const { endpoints } = environment;
    const routes = plannedRoutes(core.plan, environment);
    writeSecrets(core.folder, secretsOf(endpoints, routes, workers));
    const [first] = workers;
    if (first === undefined) throw new Error('a run needs at least one worker');
    const workerLogs = workerLogsOf(environment, how.options.registeredWorkers);
    const { pinned, settledOperations } = await preflight(core, first, routes, workerLogs);
    signal.throwIfAborted();
    refuseLost(workers, workerLogs);
    begin(core, workers, { ...runRoutes(endpoints, routes, pinned), settledOperations });
    faults = conductFaults(core, platform.faults);
    await loadPhase(core, () => environment.usage());
  } catch (error) {
    // After a stop every phase fails by being aborted, which says nothing new.
    if (!signal.aborted) core.fail(error);
  } finally {
    await faults?.end();
  }
  return deployment;
}

function deployOptions(core: RunCore, { controllerUrl, workerToken, options }: Conduct): Parameters<typeof deploy>[3] {
  const workers = options.registeredWorkers === undefined ? options.workers : 0;
  return { runId: core.id, runFolder: core.folder, controllerUrl, workerToken, workers };
}

async function describe(core: RunCore, environment: Environment): Promise<void> {
  const described = await environment.describe().catch((error: unknown) => ({ problem: messageOf(error) }));
  core.record({ type: 'environment', environment: described });
  core.aggregate.knowReplicas(environment.replicas);
  core.record({
    type: 'target.ready',
    endpoints: environment.endpoints.map(({ url }) => shownUrl(url)),
    replicas: environment.replicas,
  });
}

async function takeWorkers(
  core: RunCore,
  { environment, programs }: Deployment,
  registered: number | undefined,
): Promise<readonly Worker[]> {
  const { registry, timings } = core.shared;
  const placeOf = registered === undefined ? environment.placeOf : undefined;
  const wanted = {
    count: registered ?? environment.expectedWorkers,
    programs,
    placeOf,
    withinMs: timings.registerMs,
    broken: () => environment.brokenWorker?.(),
    workerLogs: workerLogsOf(environment, registered),
  };
  const workers = await gather(registry, wanted, core.stopping.signal);
  const boss = employer(core);
  return workers.map(({ id }) => {
    const worker = registry.employ(id, boss);
    const place = placeOf?.(worker.registration);
    core.record({
      type: 'worker.registered',
      workerId: id,
      worker: worker.registration,
      ...(place === undefined ? {} : { place }),
    });
    recordClock(core, worker);
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
