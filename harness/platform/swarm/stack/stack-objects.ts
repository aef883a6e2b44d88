/** Everything that carries a stack's label. The label is the only proof that something is ours. */
import { STACK_LABEL } from '../compose/convert/context.js';
import type { Container, FileObject, Network, Service, Task, Volume } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { isOver } from './service-progress.js';

export interface StackObjects {
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
  readonly networks: readonly Network[];
  readonly configs: readonly FileObject[];
  readonly secrets: readonly FileObject[];
  /** Containers and volumes of this engine's node; other nodes' cannot be seen from here. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

export function labelOf(stack: string): string {
  return `${STACK_LABEL}=${stack}`;
}

export async function findStack(engine: Engine, stack: string, signal: AbortSignal): Promise<StackObjects> {
  const label = labelOf(stack);
  const [services, tasks, networks, configs, secrets, containers, volumes] = await Promise.all([
    engine.services.labelled(label, signal),
    engine.tasks.labelled(label, signal),
    engine.networks.labelled(label, signal),
    engine.configs.labelled(label, signal),
    engine.secrets.labelled(label, signal),
    engine.containers.labelled(label, signal),
    engine.volumes.labelled(label, signal),
  ]);
  const serviceIds = new Set(services.map(({ ID }) => ID));
  const real = tasks.filter((task) => serviceIds.has(task.ServiceID) || !outlivesItsService(task));
  return { services, tasks: real, networks, configs, secrets, containers, volumes };
}

/** A job's tasks stay for ever when their service is removed (seen with moby 20.10), and nothing can remove them. */
function outlivesItsService({ NodeID, DesiredState, Status }: Task): boolean {
  return NodeID === '' || (DesiredState !== 'remove' && isOver(DesiredState) && isOver(Status.State));
}

/** For people: `service bench_gateway`. Containers and volumes only where nothing else names them. */
export function namesOf({ services, networks, configs, secrets }: StackObjects): readonly string[] {
  return [
    ...services.map(({ Spec }) => `service ${Spec.Name}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...secrets.map(({ Spec }) => `secret ${Spec.Name}`),
    ...configs.map(({ Spec }) => `config ${Spec.Name}`),
  ];
}
