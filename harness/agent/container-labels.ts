/** The labels of a task's container. `slot` is empty for services that run once on every node. */
export const CONTAINER_LABELS = ['stack', 'service', 'slot', 'node', 'task'] as const;
export type ContainerLabels = Readonly<Record<(typeof CONTAINER_LABELS)[number], string>>;

/**
 * Our labels of a container, from those that Swarm gives it; undefined when it does not belong to a task.
 * @param node name of this node
 */
export function taskLabels(labels: Readonly<Record<string, string>>, node: string): ContainerLabels | undefined {
  const task = labels['com.docker.swarm.task.id'];
  const fullName = labels['com.docker.swarm.service.name'];
  if (task === undefined || fullName === undefined) return undefined;
  const stack = labels['com.docker.stack.namespace'] ?? '';
  const service = stack !== '' && fullName.startsWith(`${stack}_`) ? fullName.slice(stack.length + 1) : fullName;
  // `SERVICE.SLOT.TASK`, or `SERVICE.NODE.TASK` for a service that runs once on every node.
  const place = labels['com.docker.swarm.task.name']?.slice(fullName.length + 1).split('.')[0] ?? '';
  return { stack, service, slot: /^\d+$/.test(place) ? place : '', node, task };
}
