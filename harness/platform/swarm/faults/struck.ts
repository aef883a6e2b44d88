/** Which containers a fault strikes, now and when a task takes the place of one of them. */
import { z } from 'zod';
import type { FaultTarget } from '../../../../scenarios/schema/faults/fault-targets.js';
import { type FaultContext, FaultRefused } from '../../platform.js';
import type { Task } from '../engine/answers.js';
import { GATEWAY } from '../run-on-stack/gateway.js';
import { addressOf } from '../run-on-stack/running-tasks.js';
import { TARGET } from '../run-on-stack/target.js';
import { WORKERS } from '../run-on-stack/worker-count.js';
import { wantedReplicas } from '../stack/service-progress.js';
import { type Stack, servicesOf } from '../stack/stack-objects.js';

/** One of the tasks of a service. */
const struck = z.object({
  /** `mcp-server.2` */
  name: z.string(),
  slot: z.number(),
  task: z.string(),
  container: z.string(),
  nodeId: z.string(),
  node: z.string(),
  /** In the network of the load. */
  address: z.string(),
});
export type Struck = z.infer<typeof struck>;

/** The part of the journal that names what is struck. */
export const struckJournal = z.object({
  /** `RUN/FAULT` */
  order: z.string(),
  service: z.string(),
  struck: z.array(struck),
  /** Replicas of the service, and on which nodes they were. */
  wanted: z.number(),
  perNode: z.record(z.string(), z.number()),
});
export type StruckJournal = z.infer<typeof struckJournal>;

/** All running tasks of a service, in the order of their slots. */
export async function tasksNow(stack: Stack, service: string, signal: AbortSignal): Promise<readonly Struck[]> {
  const { engine, name } = stack;
  const found = (await servicesOf(stack, signal)).get(service);
  if (found === undefined) throw new FaultRefused(`the stack ${name} has no service ${service}`);
  const [tasks, nodes] = await Promise.all([engine.tasks.ofServices([found.ID], signal), engine.nodes.all(signal)]);
  const nodeNames = new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname]));
  return tasks
    .filter(isRunning)
    .map((task) => ({
      name: `${service}.${task.Slot}`,
      slot: task.Slot,
      task: task.ID,
      container: task.Status.ContainerStatus?.ContainerID ?? '',
      nodeId: task.NodeID,
      node: nodeNames.get(task.NodeID) ?? task.NodeID,
      address: addressOf(task, `${name}_mcp-network`) ?? '',
    }))
    .toSorted((a, b) => a.slot - b.slot);
}

/** @throws FaultRefused when there is nothing to strike, or nothing would be left */
export async function strike(
  stack: Stack,
  fault: {
    readonly id: string;
    readonly target: FaultTarget;
    readonly allowTotal?: true;
    readonly worker?: number;
  },
  context: FaultContext,
  signal: AbortSignal,
): Promise<StruckJournal> {
  const worker = fault.worker === undefined ? undefined : await workerTask(stack, fault.worker, signal);
  const service = worker?.service ?? (fault.target.at === 'gateway' ? GATEWAY : TARGET);
  const all = await tasksNow(stack, service, signal);
  const chosen = worker === undefined ? choose(fault.target, all, context.sessions) : [worker.task];
  if (chosen.length === 0) throw new FaultRefused(`${service} has nothing that fits ${JSON.stringify(fault.target)}`);
  if (service === TARGET && chosen.length >= all.length && fault.allowTotal !== true)
    throw new FaultRefused(
      `it would strike all ${all.length} replicas that run, so none would be left (allowTotal: true allows that)`,
    );
  const found = (await servicesOf(stack, signal)).get(service);
  return {
    order: `${context.runId}/${fault.id}`,
    service,
    struck: [...chosen],
    wanted: found === undefined ? all.length : wantedReplicas(found),
    perNode: countPerNode(all),
  };
}

/** Workers are numbered in the order of their services, and in each of their slots. */
async function workerTask(
  stack: Stack,
  number: number,
  signal: AbortSignal,
): Promise<{ readonly service: string; readonly task: Struck }> {
  const services = [...(await servicesOf(stack, signal)).keys()].filter((name) => name.startsWith(WORKERS)).toSorted();
  const tasks = await Promise.all(
    services.map(async (service) => (await tasksNow(stack, service, signal)).map((task) => ({ service, task }))),
  );
  const workers = tasks.flat();
  const found = workers[number - 1];
  if (found === undefined) throw new FaultRefused(`there is no worker ${number}: ${workers.length} run`);
  return found;
}

function choose(target: FaultTarget, all: readonly Struck[], sessions: ReadonlyMap<string, number>): readonly Struck[] {
  switch (target.at) {
    case 'replicas':
      return all.filter(({ slot }) => target.slots.includes(slot));
    case 'node':
      return all.filter(({ node, nodeId }) => node === target.node || nodeId === target.node);
    case 'serving':
      return mostSessions(all, sessions).slice(0, 1);
    case 'gateway':
      return all;
    case 'leader':
      return [];
  }
}

/** Those with most sessions first; before the load, in the order of their slots. */
export function mostSessions(all: readonly Struck[], sessions: ReadonlyMap<string, number>): readonly Struck[] {
  // A replica that replaced another has an id of its own, `mcp-server.2 (2)`: the newest counts.
  const of = ({ name }: Struck): number =>
    [...sessions].filter(([id]) => id === name || id.startsWith(`${name} (`)).at(-1)?.[1] ?? 0;
  return all.toSorted((a, b) => of(b) - of(a) || a.slot - b.slot);
}

export function countPerNode(all: readonly Struck[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { node } of all) counts[node] = (counts[node] ?? 0) + 1;
  return counts;
}

export function namesOf(all: readonly Struck[]): string {
  return all.map(({ name, node }) => `${name} on ${node}`).join(', ');
}

function isRunning({ DesiredState, Status }: Task): boolean {
  return DesiredState === 'running' && Status.State === 'running';
}
