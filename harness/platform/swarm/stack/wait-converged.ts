/** Waits until all services are as wanted, at once, and says early when one will never be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service, Task } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { describeTask, lastErrorOf, progressOf, type ServiceProgress, type ServiceView } from './service-progress.js';
import { StackError } from './stack-error.js';
import { labelOf } from './stack-objects.js';
import { hintFor, PATIENCE, type Patience, StuckDetector } from './stuck-detector.js';

export interface Awaited {
  readonly id: string;
  readonly name: string;
  /** When its last update before this one began. */
  readonly lastUpdate: string | undefined;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly patience?: Patience;
  /** How long all must hold. */
  readonly stableMs?: number;
}

const POLL_MS = 200;
const STABLE_MS = 1_000;

/**
 * @param onProgress of all services, after every look
 * @throws StackError SERVICE_STUCK, NOT_CONVERGED, ROLLED_BACK, UPDATE_PAUSED
 */
export async function waitConverged(
  engine: Engine,
  stack: string,
  awaited: readonly Awaited[],
  options: WaitOptions,
  onProgress: (services: readonly ServiceProgress[]) => void,
  signal: AbortSignal,
): Promise<readonly ServiceProgress[]> {
  const { timeoutMs, patience = PATIENCE, stableMs = STABLE_MS } = options;
  const watch = new StuckDetector(patience);
  const began = performance.now();
  let goodSince: number | undefined;
  for (;;) {
    const { views, activeNodes } = await look(engine, stack, awaited, signal);
    const services = views.map((view) => progressOf(view, activeNodes));
    const now = performance.now();
    onProgress(services);
    for (const [index, progress] of services.entries()) {
      const view = views[index];
      if (view !== undefined)
        await refuseHopeless(engine, view, progress, watch.look(view, progress, activeNodes, now), signal);
    }
    goodSince = services.every(({ state }) => state === 'running') ? (goodSince ?? now) : undefined;
    if (goodSince !== undefined && now - goodSince >= stableMs) return services;
    if (now - began >= timeoutMs) throw late(services, timeoutMs);
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function look(
  engine: Engine,
  stack: string,
  awaited: readonly Awaited[],
  signal: AbortSignal,
): Promise<{ readonly views: readonly ServiceView[]; readonly activeNodes: ReadonlySet<string> }> {
  const [services, tasks, nodes] = await Promise.all([
    engine.services.labelled(labelOf(stack), signal),
    engine.tasks.upToDate(
      awaited.map(({ id }) => id),
      signal,
    ),
    engine.nodes.all(signal),
  ]);
  const byId = new Map(services.map((service) => [service.ID, service]));
  const views = awaited.map(({ id, name, lastUpdate }) => {
    const service = byId.get(id);
    if (service === undefined)
      throw new StackError(
        'SERVICE_STUCK',
        `${name}: somebody removed the service while we waited for it`,
        'run this again',
      );
    return {
      service,
      tasks: tasks.filter(({ ServiceID }) => ServiceID === id),
      updateIsNews: service.UpdateStatus?.StartedAt !== lastUpdate,
    };
  });
  return { views, activeNodes: new Set(nodes.filter(({ Status }) => Status.State !== 'down').map(({ ID }) => ID)) };
}

async function refuseHopeless(
  engine: Engine,
  { service }: ServiceView,
  progress: ServiceProgress,
  trouble: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name, state, running, wanted } = progress;
  if (trouble !== undefined) {
    const missing = wanted === 0 ? 'no replica' : `${wanted - running} of ${wanted} replicas not`;
    throw new StackError(
      'SERVICE_STUCK',
      `${name}: ${missing} running, and waiting will not help (${trouble})`,
      hintFor(trouble, name),
    );
  }
  if (state !== 'paused' && state !== 'rolled back') return;
  // The tasks that failed do not fit the spec that a service has after a rollback, so all of them are looked at.
  const words = culpritOf(service, await engine.tasks.ofServices([service.ID], signal));
  if (state === 'paused')
    throw new StackError('UPDATE_PAUSED', `${name}: the engine paused the update (${words})`, hintFor(words, name));
  throw new StackError(
    'ROLLED_BACK',
    `${name}: the engine rolled the update back, the service runs as before (${words})`,
    hintFor(words, name),
  );
}

/**
 * The engine names the task in `update paused due to failure or early termination of task ID`, but not once a rollback
 * is complete.
 */
function culpritOf({ UpdateStatus }: Service, tasks: readonly Task[]): string {
  const named = tasks.find(({ ID }) => UpdateStatus?.Message.includes(ID));
  return (named === undefined ? lastErrorOf(tasks) : describeTask(named)) ?? UpdateStatus?.Message ?? '';
}

function late(services: readonly ServiceProgress[], timeoutMs: number): StackError {
  const behind = services.filter(({ state }) => state !== 'running');
  const lines = behind.map(
    ({ name, running, wanted, slowest, lastError }) =>
      `${name}: ${wanted - running} of ${wanted} replicas not running (last: ${lastError ?? slowest ?? 'nothing is known of its tasks'})`,
  );
  return new StackError(
    'NOT_CONVERGED',
    `after ${timeoutMs / 1000} s: ${lines.join('; ')}`,
    hintFor(lines.join(' '), behind[0]?.name ?? ''),
  );
}
