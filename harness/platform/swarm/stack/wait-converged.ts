import { pollUntil } from '../../../support/poll-until.js';
import type { Service, Task } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { describeTask, lastErrorOf, progressOf, type ServiceProgress, type ServiceView } from './service-progress.js';
import { StackError } from './stack-error.js';
import { labelOf, type Stack } from './stack-objects.js';
import { hintFor, PATIENCE, type Patience, StuckDetector } from './stuck-detector.js';

export interface AwaitedService {
  readonly id: string;
  readonly name: string;
  /** When its last update before the awaited one began. */
  readonly lastUpdate: string | undefined;
}

/** @param before the service as it was before the change that is awaited */
export function awaitedAfter({ ID, Spec, UpdateStatus }: Service): AwaitedService {
  return { id: ID, name: Spec.Name, lastUpdate: UpdateStatus?.StartedAt };
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly patience?: Patience;
  /** How long all services must stay as wanted. */
  readonly stableMs?: number;
}

const POLL_MS = 200;
const STABLE_MS = 1_000;

/**
 * Waits until all these services are as wanted, and gives up early when one never will be.
 * @param onProgress gets all of them after every look
 * @throws StackError SERVICE_STUCK, NOT_CONVERGED, ROLLED_BACK, UPDATE_PAUSED
 */
export async function waitConverged(
  stack: Stack,
  awaited: readonly AwaitedService[],
  { timeoutMs, patience = PATIENCE, stableMs = STABLE_MS }: WaitOptions,
  onProgress: (services: readonly ServiceProgress[]) => void,
  signal: AbortSignal,
): Promise<readonly ServiceProgress[]> {
  const detector = new StuckDetector(patience);
  let services: readonly ServiceProgress[] = [];
  let goodSince: number | undefined;
  const look = async (): Promise<readonly ServiceProgress[] | undefined> => {
    const { views, activeNodes } = await viewServices(stack, awaited, signal);
    services = views.map((view) => progressOf(view, activeNodes));
    const now = performance.now();
    onProgress(services);
    for (const [index, progress] of services.entries()) {
      const view = views[index];
      if (view === undefined) continue;
      await throwIfHopeless(stack.engine, view, progress, detector.check(view, progress, activeNodes, now), signal);
    }
    goodSince = services.every(({ state }) => state === 'running') ? (goodSince ?? now) : undefined;
    return goodSince !== undefined && now - goodSince >= stableMs ? services : undefined;
  };
  const late = (): StackError => notConverged(services, timeoutMs);
  return await pollUntil(look, { everyMs: POLL_MS, withinMs: timeoutMs, late }, signal);
}

async function viewServices(
  { engine, name: stack }: Stack,
  awaited: readonly AwaitedService[],
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
        `${name}: the service was removed while we waited for it`,
        'run this again',
      );
    return {
      service,
      tasks: tasks.filter(({ ServiceID }) => ServiceID === id),
      updateIsNew: service.UpdateStatus?.StartedAt !== lastUpdate,
    };
  });
  return { views, activeNodes: new Set(nodes.filter(({ Status }) => Status.State !== 'down').map(({ ID }) => ID)) };
}

async function throwIfHopeless(
  engine: Engine,
  { service }: ServiceView,
  { name, state, running, wanted }: ServiceProgress,
  trouble: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (trouble !== undefined) {
    const missing = wanted === 0 ? 'no replica is running' : `${wanted - running} of ${wanted} replicas not running`;
    throw new StackError(
      'SERVICE_STUCK',
      `${name}: ${missing}, and waiting will not help (${trouble})`,
      hintFor(trouble, name),
    );
  }
  if (state !== 'paused' && state !== 'rolled back') return;
  // After a rollback the failed tasks do not fit the spec of the service, so all of its tasks are looked at.
  const reason = failureOf(service, await engine.tasks.ofServices([service.ID], signal));
  if (state === 'paused')
    throw new StackError('UPDATE_PAUSED', `${name}: the engine paused the update (${reason})`, hintFor(reason, name));
  throw new StackError(
    'ROLLED_BACK',
    `${name}: the engine rolled the update back, so the service runs as before (${reason})`,
    hintFor(reason, name),
  );
}

/**
 * The engine names the task in `update paused due to failure or early termination of task ID`, but not once a rollback
 * is complete.
 */
function failureOf({ UpdateStatus }: Service, tasks: readonly Task[]): string {
  const named = tasks.find(({ ID }) => UpdateStatus?.Message.includes(ID));
  return (named === undefined ? lastErrorOf(tasks) : describeTask(named)) ?? UpdateStatus?.Message ?? '';
}

function notConverged(services: readonly ServiceProgress[], timeoutMs: number): StackError {
  const behind = services.filter(({ state }) => state !== 'running');
  const lines = behind.map(({ name, running, wanted, slowest, lastError }) => {
    const last = lastError ?? slowest ?? 'nothing is known of its tasks';
    return `${name}: ${wanted - running} of ${wanted} replicas not running (last: ${last})`;
  });
  return new StackError(
    'NOT_CONVERGED',
    `after ${timeoutMs / 1000} s: ${lines.join('; ')}`,
    hintFor(lines.join(' '), behind[0]?.name ?? ''),
  );
}
