/** Removes everything that carries a stack's label, and nothing else, and waits until none of it is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { StackError } from './stack-error.js';
import { findStack, namesOf, namingLeftObjects, type Stack, type StackObjects } from './stack-objects.js';

interface RemoveOptions {
  readonly volumes: boolean;
  readonly timeoutMs: number;
}

/** How many objects there still are; volumes count only when they are to be removed. */
export type Remaining = Readonly<
  Record<'services' | 'tasks' | 'containers' | 'networks' | 'configs' | 'secrets' | 'volumes', number>
>;

interface Removed {
  /** Such as `service bench_gateway`. */
  readonly removed: readonly string[];
  /** Names of volumes that were not removed. */
  readonly keptVolumes: readonly string[];
  readonly durationMs: number;
}

const POLL_MS = 200;

/**
 * Safe to repeat, also when there is nothing to remove.
 * @throws StackError with the objects that are left: NOT_REMOVED, INTERRUPTED or a code of the engine's
 */
export async function removeStack(
  stack: Stack,
  options: RemoveOptions,
  onProgress: (remaining: Remaining) => void,
  signal: AbortSignal,
): Promise<Removed> {
  const began = performance.now();
  const removed = new Set<string>();
  return await namingLeftObjects(
    stack,
    'removing',
    () => [...removed].map((name) => `${name} (perhaps)`),
    signal,
    async () => {
      for (;;) {
        const objects = await findStack(stack, signal);
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
        if (performance.now() - began > options.timeoutMs) throw notRemoved(stack.name, remaining, options.timeoutMs);
        await removeOnce(stack.engine, objects, options.volumes, signal);
        await sleep(POLL_MS, undefined, { signal });
      }
    },
  );
}

/** Services first: the engine refuses to remove what they use until they are gone, so that is tried again. */
async function removeOnce(
  engine: Engine,
  { services, secrets, configs, networks, volumes, tasks, containers }: StackObjects,
  withVolumes: boolean,
  signal: AbortSignal,
): Promise<void> {
  const remove = (ids: readonly string[], by: (id: string, signal: AbortSignal) => Promise<void>): Promise<unknown> =>
    Promise.all(ids.map((id) => by(id, signal).catch(ignoreGoneOrInUse)));
  const idsOf = (objects: readonly { readonly ID: string }[]): readonly string[] => objects.map(({ ID }) => ID);
  await remove(idsOf(services), engine.services.remove);
  await remove(idsOf(secrets), engine.secrets.remove);
  await remove(idsOf(configs), engine.configs.remove);
  // A network that is removed while tasks still leave it stays behind in the engine of their node.
  if (tasks.length > 0) return;
  // The engine ends and removes the containers of tasks, except those that jobs have left behind.
  const ended = containers.filter((container) => isTask(container) && !isAlive(container));
  await remove(
    ended.map(({ Id }) => Id),
    engine.containers.remove,
  );
  if (containers.some(isTask)) return;
  await remove(
    networks.map(({ Id }) => Id),
    engine.networks.remove,
  );
  if (!withVolumes) return;
  await remove(
    volumes.map(({ Name }) => Name),
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
 * Containers that carry the stack's label but belong to no task are not Swarm's, so Swarm does not end them. Nor do we.
 */
function isTask({ Labels }: { readonly Labels: Readonly<Record<string, string>> }): boolean {
  return Labels['com.docker.swarm.task.id'] !== undefined;
}

function isAlive({ State }: { readonly State: string }): boolean {
  return ['running', 'paused', 'restarting', 'removing'].includes(State);
}

function ignoreGoneOrInUse(error: unknown): void {
  // NAME_TAKEN is what we call the engine's 409; for a removal it means that one is already going on.
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
    'tasks of a node that is down stay until it is back or removed (see `docker node ls`); then run this again',
  );
}
