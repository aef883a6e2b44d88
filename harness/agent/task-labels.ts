import type { ContainerLabels } from './metric-names.js';

/**
 * Whose container it is, from the labels that Swarm gives it; undefined for one that is no task. @param node name of
 * this node
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
