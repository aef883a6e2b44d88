import { join } from 'node:path';
import { pid } from 'node:process';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { ControllerError, isCoded } from '../../log/errors.js';
import { files, type Secrets, writeSecrets } from '../../log/run-folder.js';
import { TelemetryLog } from '../../log/telemetry-log.js';
import type { Environment, Platform, StartedProgram } from '../../platform/platform.js';
import { messageOf } from '../../support/error-message.js';
import { type Attached, attachWorkers, type NamedWorkers } from '../workers/named-workers.js';
import type { Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { awaitWorkers } from './await-workers.js';
import { conductFaults, type RunFaults } from './faults.js';
import { loadPhase } from './load-phase.js';
import { preflight } from './preflight.js';
import { type PlannedRoute, plannedRoutes, settledRoutes } from './routes.js';
import type { SubmitOptions } from './run.js';
import { recordClock, runListener } from './run-listener.js';
import { startLoad } from './start-load.js';
import { TruthReader } from './truth.js';

interface ConductOptions {
  readonly platform: () => Platform;
  /** Where workers reach this controller. */
  readonly controllerUrl: string;
  /** Takes a connection over which a worker calls this controller. */
  readonly accept: (connection: Duplex) => void;
  readonly submit: SubmitOptions;
}

interface Deployment {
  readonly environment: Environment;
  /** Grows when a fault or its undo starts one. */
  readonly programs: StartedProgram[];
}

/**
 * Conducts a run from its turn in the queue to its last batch. Never throws: an error that ends it early is in the log.
 * @returns what was started and must be torn down; undefined when nothing was
 */
export async function conduct(run: ActiveRun, options: ConductOptions): Promise<Deployment | undefined> {
  const { named, extraConsumers = false } = options.submit;
  let attached: Attached | undefined;
  let deployment: Deployment | undefined;
  let faults: RunFaults | undefined;
  try {
    run.stopping.throwIfAborted();
    // Before any program of the run is started, so that a later controller knows its workers.
    writeSecrets(run.folder, { run: run.tokens, endpoints: [], workers: {} });
    run.intake.open(await TelemetryLog.create(join(run.folder, files.telemetry)));
    run.record({ type: 'controller.listening', url: options.controllerUrl, pid });
    const platform = options.platform();
    deployment = await deploy(run, platform, options);
    const { environment } = deployment;
    await recordEnvironment(run, environment);
    if (named !== undefined) attached = await attach(run, named, options);
    const workers = await takeWorkers(run, deployment, options.submit);
    const { endpoints } = environment;
    const routes = plannedRoutes(run.plan, environment);
    writeSecrets(run.folder, { run: run.tokens, ...secretsOf(endpoints, routes, workers) });
    const [first] = workers;
    if (first === undefined) throw new Error('a run needs at least one worker');
    const workerLogs = workerLogsOf(environment, options.submit);
    const { pinned, settledOperations } = await preflight(run, first, routes, workerLogs);
    run.stopping.throwIfAborted();
    const truths = new TruthReader(
      run,
      environment.replicas.map(({ url }) => url),
    );
    await truths.read();
    await startLoad(
      run,
      { workers, workerLogs, extraConsumers },
      { ...settledRoutes(endpoints, routes, pinned), settledOperations },
    );
    const { programs } = deployment;
    faults = conductFaults(run, platform.faults, (program) => noteProgram(run, programs, program));
    void truths.follow();
    await loadPhase(run, environment, truths);
  } catch (error) {
    // After a stop every phase fails because it is aborted, which says nothing new.
    if (!run.stopping.aborted) run.fail(error);
  } finally {
    await faults?.end();
    await attached?.detach();
  }
  return deployment;
}

/**
 * Starts target and workers.
 * @throws ControllerError PLAN_REFUSED, DEPLOY_FAILED; the platform's own coded errors as they are
 */
async function deploy(run: ActiveRun, platform: Platform, options: ConductOptions): Promise<Deployment> {
  const { plan } = run;
  const { controllerUrl, submit } = options;
  const refusals = platform.refusals(plan);
  if (refusals.length > 0)
    throw new ControllerError(
      'PLAN_REFUSED',
      `the ${platform.name} platform cannot run this plan: ${refusals.join('; ')}`,
      'Change the scenario, or run it on another platform.',
    );
  const programs: StartedProgram[] = [];
  const started = (program: StartedProgram): void => {
    programs.push(program);
    // Not `run.record`, which swallows write errors: a program that is not in the log must not be used.
    run.log.append({ type: 'program.started', program });
  };
  const workers = comeByThemselves(submit) ? 0 : submit.workers;
  const context = {
    runId: run.id,
    runFolder: run.folder,
    controllerUrl,
    workerToken: run.tokens.worker,
    workers,
    started,
  };
  const environment = await platform.prepare(plan, context, run.stopping).catch((error: unknown) => {
    throw isCoded(error)
      ? error
      : new ControllerError('DEPLOY_FAILED', `starting target and workers failed: ${messageOf(error)}`);
  });
  return { environment, programs };
}

/** Logs a program that a fault or its undo has started, so that whoever ends the run ends it, too. */
export function noteProgram(run: ActiveRun, programs: StartedProgram[], program: StartedProgram): void {
  programs.push(program);
  run.record({ type: 'program.started', program });
}

async function recordEnvironment(run: ActiveRun, environment: Environment): Promise<void> {
  const { endpoints, replicas, arms, registration } = environment;
  const urls = (all: readonly Endpoint[]): readonly string[] => all.map(({ url }) => shownUrl(url));
  const described = await environment.describe().catch((error: unknown) => ({ problem: messageOf(error) }));
  run.record({ type: 'environment', environment: described });
  run.record({
    type: 'target.ready',
    endpoints: urls(endpoints),
    replicas,
    ...(arms === undefined
      ? {}
      : { arms: Object.fromEntries([...arms].map(([name, arm]) => [name, urls(arm.endpoints)])) }),
  });
  if (registration !== undefined) run.record({ type: 'upstreams.listed', registered: registration });
}

async function takeWorkers(
  run: ActiveRun,
  { environment, programs }: Deployment,
  submit: SubmitOptions,
): Promise<readonly Worker[]> {
  const { registry, timings } = run.context;
  const { registeredWorkers, named } = submit;
  const placeOf = comeByThemselves(submit) ? undefined : environment.placeOf;
  const wanted = {
    runId: run.id,
    count: named?.urls.length ?? registeredWorkers ?? environment.expectedWorkers,
    // Those that are named have the token of the run, too.
    startedHere: named !== undefined || programs.some(({ role }) => role === 'worker'),
    placeOf,
    withinMs: timings.registerMs,
    broken: () => environment.brokenWorker?.(),
    workerLogs: workerLogsOf(environment, submit),
  };
  const workers = await awaitWorkers(registry, wanted, run.stopping);
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

/** Where to find the logs of the workers. The platform knows nothing about workers that registered by themselves. */
function workerLogsOf({ workerLogs }: Environment, submit: SubmitOptions): string {
  return comeByThemselves(submit) ? 'where they were started' : workerLogs;
}

/** The platform starts no workers: they have registered, or are named. */
function comeByThemselves({ registeredWorkers, named }: SubmitOptions): boolean {
  return registeredWorkers !== undefined || named !== undefined;
}

function attach(run: ActiveRun, named: NamedWorkers, { controllerUrl, accept }: ConductOptions): Promise<Attached> {
  return attachWorkers(named, {
    runId: run.id,
    controllerUrl,
    workerToken: run.tokens.worker,
    accept,
    signal: run.stopping,
  });
}

function secretsOf(
  endpoints: readonly Endpoint[],
  routes: readonly PlannedRoute[],
  workers: readonly Worker[],
): Omit<Secrets, 'run'> {
  return {
    endpoints: [...endpoints],
    ...(routes.length > 1
      ? { routes: routes.map(({ profiles, endpoints: own }) => ({ profiles: [...profiles], endpoints: [...own] })) }
      : {}),
    workers: Object.fromEntries(workers.map(({ id, token }) => [id, token])),
  };
}
