/** Where the tasks of services run: node, slot, id, addresses and host name. */
import { z } from 'zod';
import type { Place } from '../../platform.js';
import { list, type Service, type Task } from '../engine/answers.js';
import type { Stack, StackServices } from '../stack/stack-objects.js';

export interface RunningTask extends Place {
  /** `hostname` of its container. */
  readonly host: string;
  /** By the full name of the network. */
  readonly addresses: ReadonlyMap<string, string>;
}

const attachments = z.looseObject({
  NetworksAttachments: list(
    z.looseObject({
      Network: z.looseObject({ Spec: z.looseObject({ Name: z.string() }) }),
      Addresses: list(z.string()),
    }),
  ),
});

const hostnames = z.looseObject({ Hostname: z.string().default('') });

/** @param names as in the stack file; those that the stack does not have are left out */
export async function runningTasks(
  { engine }: Stack,
  services: StackServices,
  names: Iterable<string>,
  signal: AbortSignal,
): Promise<readonly RunningTask[]> {
  const chosen = [...names].flatMap((name) => {
    const service = services.get(name);
    return service === undefined ? [] : [{ name, service }];
  });
  const [tasks, nodes] = await Promise.all([
    engine.tasks.upToDate(
      chosen.map(({ service }) => service.ID),
      signal,
    ),
    engine.nodes.all(signal),
  ]);
  const nodeNames = new Map(nodes.map(({ ID, Description }) => [ID, Description.Hostname]));
  return chosen.flatMap(({ name, service }) =>
    tasks
      .filter(
        ({ ServiceID, DesiredState, Status }) =>
          ServiceID === service.ID && DesiredState === 'running' && Status.State === 'running',
      )
      .toSorted((a, b) => a.Slot - b.Slot)
      .map((task) => ({
        service: name,
        slot: task.Slot,
        task: task.ID,
        node: nodeNames.get(task.NodeID) ?? task.NodeID,
        host: hostOf(service, task),
        addresses: addressesOf(task),
      })),
  );
}

/**
 * Filled in as Swarm does it (docs.docker.com: "Create services using templates"); by default the container's short id.
 */
function hostOf({ Spec }: Service, task: Task): string {
  const template = hostnames.safeParse(Spec.TaskTemplate.ContainerSpec).data?.Hostname ?? '';
  if (template === '') return (task.Status.ContainerStatus?.ContainerID ?? '').slice(0, 12);
  return template
    .replaceAll(/\{\{\s*\.Task\.Slot\s*\}\}/g, String(task.Slot))
    .replaceAll(/\{\{\s*\.Task\.ID\s*\}\}/g, task.ID)
    .replaceAll(/\{\{\s*\.Service\.Name\s*\}\}/g, Spec.Name);
}

/** Its address in this network. @param network full name */
export function addressOf(task: Task, network: string): string | undefined {
  return addressesOf(task).get(network);
}

function addressesOf(task: Task): ReadonlyMap<string, string> {
  const parsed = attachments.safeParse(task);
  if (!parsed.success) return new Map();
  return new Map(
    parsed.data.NetworksAttachments.flatMap(({ Network, Addresses: [first] }) =>
      first === undefined ? [] : [[Network.Spec.Name, first.split('/')[0] ?? '']],
    ),
  );
}
