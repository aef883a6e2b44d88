import { join } from 'node:path';
import { pid } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { idShares } from '../../../client-sim/protocol/id-ranges.js';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { allocate } from '../../../scenarios/schema/allocate.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { shownUrl } from '../../../scenarios/schema/redact.js';
import { clientsOf } from '../../analysis/facts/run-facts.js';
import { ControllerError, isCoded } from '../../log/errors.js';
import { files, type Secrets, writeSecrets } from '../../log/run-folder.js';
import { TelemetryLog } from '../../log/telemetry-log.js';
import type { Environment, Platform, StartedProgram } from '../../platform/platform.js';
import { messageOf } from '../../support/error-message.js';
import type { Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { awaitWorkers } from './await-workers.js';
import { conductFaults, type RunFaults } from './faults.js';
import { loadPhase } from './load-phase.js';
import { assignmentOrder, beginOrder, type RunStart, stopOrder } from './orders.js';
import { preflight } from './preflight.js';
import { type PlannedRoute, plannedRoutes, settledRoutes } from './routes.js';
import type { SubmitOptions } from './run.js';
import { recordClock, runListener } from './run-listener.js';
import { type Assignment, connectionsOf } from './run-workers.js';

interface ConductOptions {
  readonly platform: () => Platform;
  /** Where workers reach this controller. */
  readonly controllerUrl: string;
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
  const { registeredWorkers } = options.submit;
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
    const workers = await takeWorkers(run, deployment, registeredWorkers);
    const { endpoints } = environment;
    const routes = plannedRoutes(run.plan, environment);
    writeSecrets(run.folder, { run: run.tokens, ...secretsOf(endpoints, routes, workers) });
    const [first] = workers;
    if (first === undefined) throw new Error('a run needs at least one worker');
    const workerLogs = workerLogsOf(environment, registeredWorkers);
    const { pinned, settledOperations } = await preflight(run, first, routes, workerLogs);
    run.stopping.throwIfAborted();
    refuseLost(workers, workerLogs);
    await startLoad(run, workers, workerLogs, { ...settledRoutes(endpoints, routes, pinned), settledOperations });
    const { programs } = deployment;
    faults = conductFaults(run, platform.faults, (program) => noteProgram(run, programs, program));
    await loadPhase(run, environment);
  } catch (error) {
    // After a stop every phase fails because it is aborted, which says nothing new.
    if (!run.stopping.aborted) run.fail(error);
  } finally {
    await faults?.end();
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
  const workers = submit.registeredWorkers === undefined ? submit.workers : 0;
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
  const { endpoints, replicas } = environment;
  const described = await environment.describe().catch((error: unknown) => ({ problem: messageOf(error) }));
  run.record({ type: 'environment', environment: described });
  run.record({ type: 'target.ready', endpoints: endpoints.map(({ url }) => shownUrl(url)), replicas });
}

async function takeWorkers(
  run: ActiveRun,
  { environment, programs }: Deployment,
  registered: number | undefined,
): Promise<readonly Worker[]> {
  const { registry, timings } = run.context;
  const placeOf = registered === undefined ? environment.placeOf : undefined;
  const wanted = {
    runId: run.id,
    count: registered ?? environment.expectedWorkers,
    startedHere: programs.some(({ role }) => role === 'worker'),
    placeOf,
    withinMs: timings.registerMs,
    broken: () => environment.brokenWorker?.(),
    workerLogs: workerLogsOf(environment, registered),
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
function workerLogsOf({ workerLogs }: Environment, registered: number | undefined): string {
  return registered === undefined ? workerLogs : 'where they were started';
}

function refuseLost(workers: readonly Worker[], workerLogs: string): void {
  const lost = workers.filter((worker) => worker.lost).map((worker) => `${worker.id} on ${worker.registration.host}`);
  if (lost.length === 0) return;
  throw new ControllerError(
    'WORKERS_MISSING',
    `${lost.length} of ${workers.length} workers were lost before the load began: ${lost.join(', ')}`,
    `Look at their logs (${workerLogs}).`,
  );
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

interface Assigned {
  readonly worker: Worker;
  readonly assignment: Assignment;
}

/**
 * Splits the clients over the workers and sends each worker its assignment; all start at the same time. Where each
 * session starts a server, the sessions of the first stage open before that.
 * @throws ControllerError CAPACITY_EXCEEDED, WORKERS_MISSING; the signal's reason when the run is stopped
 */
async function startLoad(
  run: ActiveRun,
  workers: readonly Worker[],
  workerLogs: string,
  settled: Omit<RunStart, 'startAt' | 'idShares'>,
): Promise<void> {
  const { plan } = run;
  const { now, timings } = run.context;
  const shares = allocate(plan.profiles, workers.length);
  const assigned: Assigned[] = [];
  for (const [index, worker] of workers.entries()) {
    const slots = shares[index] ?? [];
    // With more workers than clients, the rest of the workers stay idle.
    if (clientsOf(slots) === 0) continue;
    checkCapacity(run, worker, slots, workers.length);
    const assignment = { assignmentId: run.workers.nextAssignmentId(), slots };
    run.workers.assign(worker, assignment);
    assigned.push({ worker, assignment });
  }
  const startTimeoutMs = startTimeoutOf(plan);
  const latest = {
    ...settled,
    idShares: idShares(workers.map(({ id, registration }) => ({ id, threads: registration.threads }))),
    startAt: Math.ceil(now() + (startTimeoutMs ?? 0) + timings.startDelayMs),
  };
  const opening = startTimeoutMs === undefined ? {} : { openFirst: true as const };
  const giveAll = (): void => {
    for (const { worker, assignment } of assigned)
      worker.orders.give({ ...assignmentOrder(run.id, plan, latest, worker.id, assignment, 0), ...opening });
  };
  if (startTimeoutMs !== undefined) {
    giveAll();
    await sessionsOpened(run, assigned, latest.startAt - timings.startDelayMs);
    refuseLost(workers, workerLogs);
  }
  const start =
    startTimeoutMs === undefined
      ? latest
      : { ...latest, startAt: Math.min(latest.startAt, Math.ceil(now() + timings.noticeMs)) };
  run.record({
    type: 'run.started',
    startAt: start.startAt,
    assignments: assigned.map(({ worker, assignment }) => ({ workerId: worker.id, ...assignment })),
  });
  run.beginLoad(start);
  if (startTimeoutMs === undefined) giveAll();
  else run.workers.sendToAll(beginOrder(run.id, start.startAt));
}

/** How long a server that a session starts may take; undefined: sessions start none. */
function startTimeoutOf({ target, profiles }: Plan): number | undefined {
  if (target.kind !== 'command') return undefined;
  return Math.max(target.server.startTimeoutMs ?? 0, ...profiles.map(({ timeoutMs }) => timeoutMs));
}

const OPENED_CHECK_MS = 50;

/**
 * Waits until each worker has tried its sessions, or has ended.
 * @param until epoch ms after which the load starts with those that are open
 */
async function sessionsOpened(run: ActiveRun, assigned: readonly Assigned[], until: number): Promise<void> {
  const { now } = run.context;
  const waits = ({ worker }: Assigned): boolean =>
    !run.opened.has(worker.id) && run.workers.get(worker.id)?.ended === 'no';
  try {
    while (assigned.some(waits) && now() < until) await sleep(OPENED_CHECK_MS, undefined, { signal: run.stopping });
    run.stopping.throwIfAborted();
  } catch (error) {
    run.workers.sendToAll(stopOrder(run.id, 'now'));
    throw error;
  }
}

function checkCapacity(run: ActiveRun, worker: Worker, slots: Assignment['slots'], workers: number): void {
  const { capacity, host } = worker.registration;
  const [clients, connections] = [clientsOf(slots), connectionsOf(run.plan.profiles, slots)];
  if (clients <= capacity.clients && connections <= capacity.connections) return;
  // `bound` names the limit of the machine that both numbers may come from.
  const bound = capacity.bound === undefined ? '' : ` ${capacity.bound}`;
  const excess =
    clients > capacity.clients
      ? `${clients} clients, but it has room for ${capacity.clients}` +
        (capacity.clients === capacity.connections ? bound : '')
      : `${connections} connections, but it has room for ${capacity.connections}${bound}`;
  throw new ControllerError(
    'CAPACITY_EXCEEDED',
    `the share of worker ${worker.id} on ${host} (1 of ${workers}) is ${excess}`,
    'Use more workers (--workers N), fewer clients, or raise that limit where the worker runs.',
  );
}
