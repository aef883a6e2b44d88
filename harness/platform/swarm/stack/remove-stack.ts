/** Removes everything that carries a stack's label, and waits until nothing is left. Nothing else is touched, ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { StackError } from './stack-error.js';
import { findStack, namesOf, namingWhatIsLeft, type StackObjects } from './stack-objects.js';

interface RemoveOptions {
  readonly volumes: boolean;
  readonly timeoutMs: number;
}

/** How many there still are. Volumes only when they are to go. */
export type Remaining = Readonly<
  Record<'services' | 'tasks' | 'containers' | 'networks' | 'configs' | 'secrets' | 'volumes', number>
>;

interface Removed {
  /** One `service bench_gateway` each. */
  readonly removed: readonly string[];
  /** Volumes that stay, by name. */
  readonly keptVolumes: readonly string[];
  readonly durationMs: number;
}

const POLL_MS = 200;

/**
 * Safe to do again, also when there is nothing. @throws StackError NOT_REMOVED, INTERRUPTED or the engine's, saying
 * what is left
 */
export async function removeStack(
  engine: Engine,
  stack: string,
  options: RemoveOptions,
  onProgress: (remaining: Remaining) => void,
  signal: AbortSignal,
): Promise<Removed> {
  const began = performance.now();
  const removed = new Set<string>();
  return await namingWhatIsLeft(
    engine,
    stack,
    'removing',
    () => [...removed].map((name) => `${name} (perhaps)`),
    signal,
    async () => {
      for (;;) {
        const objects = await findStack(engine, stack, signal);
        for (const name of namesOf(objects)) removed.add(name);
        if (options.volumes) for (const { Name } of objects.volumes) removed.add(`volume ${Name}`);
        const remaining = countOf(objects, options.volumes);
        onProgress(remaining);
        if (Object.values(remaining).every((count) => count === 0)) {
          return {
            removed: [...removed],
            keptVolumes: objects.volumes.map(({ Name }) => Name),
            durationMs: performance.now() - began,
          };
        }
        if (performance.now() - began > options.timeoutMs) throw notRemoved(stack, remaining, options.timeoutMs);
        await removeOnce(engine, objects, options.volumes, signal);
        await sleep(POLL_MS, undefined, { signal });
      }
    },
  );
}

/** Services first; what they use is refused until they are gone, and tried again. */
async function removeOnce(
  engine: Engine,
  { services, secrets, configs, networks, volumes, tasks, containers }: StackObjects,
  withVolumes: boolean,
  signal: AbortSignal,
): Promise<void> {
  const remove = (
    what: readonly { readonly id: string }[],
    by: (id: string, signal: AbortSignal) => Promise<void>,
  ): Promise<unknown> => Promise.all(what.map(({ id }) => by(id, signal).catch(ignoreGoneOrInUse)));
  await remove(
    services.map(({ ID }) => ({ id: ID })),
    engine.services.remove,
  );
  await remove(
    secrets.map(({ ID }) => ({ id: ID })),
    engine.secrets.remove,
  );
  await remove(
    configs.map(({ ID }) => ({ id: ID })),
    engine.configs.remove,
  );
  // A network that is removed while tasks are still leaving it stays behind in the engine of their node.
  if (tasks.length > 0) return;
  // The engine ends and removes what its tasks ran, except what jobs have left behind.
  await remove(
    containers.filter((container) => isTask(container) && !isAlive(container)).map(({ Id }) => ({ id: Id })),
    engine.containers.remove,
  );
  if (containers.some(isTask)) return;
  await remove(
    networks.map(({ Id }) => ({ id: Id })),
    engine.networks.remove,
  );
  if (withVolumes)
    await remove(
      volumes.map(({ Name }) => ({ id: Name })),
      engine.volumes.remove,
    );
}

function countOf(
  { services, tasks, containers, networks, configs, secrets, volumes }: StackObjects,
  withVolumes: boolean,
): Remaining {
  return {
    services: services.length,
    tasks: tasks.length,
    containers: containers.filter(isTask).length,
    networks: networks.length,
    configs: configs.length,
    secrets: secrets.length,
    volumes: withVolumes ? volumes.length : 0,
  };
}

/**
 * Containers that carry the stack's label but belong to no task are somebody's own: Swarm does not end them, nor do we.
 */
function isTask({ Labels }: { readonly Labels: Readonly<Record<string, string>> }): boolean {
  return Labels['com.docker.swarm.task.id'] !== undefined;
}

function isAlive({ State }: { readonly State: string }): boolean {
  return ['running', 'paused', 'restarting', 'removing'].includes(State);
}

function ignoreGoneOrInUse(error: unknown): void {
  // NAME_TAKEN is how the engine's 409 reads; for a removal it means that one is already going on.
  if (!(error instanceof EngineError && ['OBJECT_NOT_FOUND', 'OBJECT_IN_USE', 'NAME_TAKEN'].includes(error.code)))
    throw error;
}

function notRemoved(stack: string, remaining: Remaining, timeoutMs: number): StackError {
  const counts = Object.entries(remaining)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  return new StackError(
    'NOT_REMOVED',
    `${stack}: after ${timeoutMs / 1000} s there are still ${counts.join(', ')}`,
    'tasks of a node that is down stay until it is back or removed: `docker node ls`; then run this again',
  );
}
