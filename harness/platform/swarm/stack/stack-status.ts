import { IMAGE_LABEL } from '../compose/stack-names.js';
import type { SwarmNode, Task } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { progressOf, type ServiceProgress } from './service-progress.js';
import { findStack, labelOf, type Stack } from './stack-objects.js';

export interface StackStatus {
  readonly stack: string;
  readonly services: readonly ServiceStatus[];
  readonly networks: readonly string[];
  readonly configs: readonly string[];
  readonly secrets: readonly string[];
  /** On the node of this engine. */
  readonly volumes: readonly string[];
}

export interface ServiceStatus extends ServiceProgress {
  readonly id: string;
  /** As the files name it. */
  readonly image: string;
  /** `80:3000/tcp host`. */
  readonly ports: readonly string[];
  /** Those that fit the current spec and have not been replaced. */
  readonly tasks: readonly TaskStatus[];
}

interface TaskStatus {
  readonly id: string;
  /** 0 in a global service. */
  readonly slot: number;
  /** Host name; empty until the task has a node. */
  readonly node: string;
  readonly state: string;
  /** RFC 3339. */
  readonly since: string;
  readonly error: string | undefined;
}

/** All lists are empty when there is no such stack. */
export async function stackStatus(stack: Stack, signal: AbortSignal): Promise<StackStatus> {
  const { engine, name } = stack;
  const [objects, nodes] = await Promise.all([findStack(stack, signal), engine.nodes.all(signal)]);
  const upToDate = await engine.tasks.upToDate(
    objects.services.map(({ ID }) => ID),
    signal,
  );
  const active = new Set(nodes.filter(({ Status }) => Status.State !== 'down').map(({ ID }) => ID));
  const services = objects.services.map((service): ServiceStatus => {
    const tasks = upToDate.filter(({ ServiceID }) => ServiceID === service.ID);
    return {
      ...progressOf({ service, tasks, updateIsNew: true }, active),
      id: service.ID,
      image: service.Spec.Labels[IMAGE_LABEL] ?? service.Spec.TaskTemplate.ContainerSpec?.Image ?? '',
      ports: (service.Spec.EndpointSpec?.Ports ?? []).map(
        (port) => `${port.PublishedPort}:${port.TargetPort}/${port.Protocol} ${port.PublishMode}`,
      ),
      tasks: tasks
        .filter(({ DesiredState }) => ['ready', 'running', 'complete'].includes(DesiredState))
        .map((task) => taskStatus(task, nodes))
        .toSorted((a, b) => a.slot - b.slot),
    };
  });
  return {
    stack: name,
    services: services.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    networks: objects.networks.map(({ Name }) => Name),
    configs: objects.configs.map(({ Spec }) => Spec.Name),
    secrets: objects.secrets.map(({ Spec }) => Spec.Name),
    volumes: objects.volumes.map(({ Name }) => Name),
  };
}

/** The names of all stacks of this swarm. */
export async function stackNames(engine: Engine, signal: AbortSignal): Promise<readonly string[]> {
  const label = labelOf('').replace(/=$/, '');
  const services = await engine.services.labelled(label, signal);
  return [...new Set(services.map(({ Spec }) => Spec.Labels[label] ?? ''))].toSorted();
}

function taskStatus({ ID, Slot, NodeID, Status }: Task, nodes: readonly SwarmNode[]): TaskStatus {
  return {
    id: ID,
    slot: Slot,
    node: nodes.find((node) => node.ID === NodeID)?.Description.Hostname ?? NodeID,
    state: Status.State,
    since: Status.Timestamp,
    error: Status.Err === '' ? undefined : Status.Err,
  };
}
