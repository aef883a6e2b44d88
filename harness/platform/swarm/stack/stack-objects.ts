/** A stack in a swarm, and everything that carries its label. Only the label proves that an object is ours. */
import { STACK_LABEL } from '../compose/stack-names.js';
import type { Container, FileObject, Network, Service, Task, Volume } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { isOver } from './service-progress.js';
import { StackError } from './stack-error.js';

export interface Stack {
  readonly engine: Engine;
  readonly name: string;
}

export function labelOf(stack: string): string {
  return `${STACK_LABEL}=${stack}`;
}

/** As the stack file names it. */
export function shortName(service: string, stack: string): string {
  return service.startsWith(`${stack}_`) ? service.slice(stack.length + 1) : service;
}

/** The services of one stack, by their names in its file. */
export type StackServices = ReadonlyMap<string, Service>;

/** @throws StackError UNKNOWN_STACK */
export async function servicesOf({ engine, name }: Stack, signal: AbortSignal): Promise<StackServices> {
  const services = await engine.services.labelled(labelOf(name), signal);
  if (services.length > 0) return new Map(services.map((service) => [shortName(service.Spec.Name, name), service]));
  throw new StackError(
    'UNKNOWN_STACK',
    `there is no stack ${name} in this swarm`,
    '`swarmbench up` deploys it; choose another stack with --stack',
  );
}

/**
 * In the order of `names`, which may be those of the stack file or the full ones.
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE
 */
export async function findServices(
  stack: Stack,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Service[]> {
  const services = await servicesOf(stack, signal);
  return names.map((name) => {
    const service = services.get(name) ?? services.get(shortName(name, stack.name));
    if (service !== undefined) return service;
    throw new StackError(
      'UNKNOWN_SERVICE',
      `the stack ${stack.name} has no service ${name}`,
      `it has ${[...services.keys()].toSorted().join(', ')}`,
    );
  });
}

export interface StackObjects {
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
  readonly networks: readonly Network[];
  readonly configs: readonly FileObject[];
  readonly secrets: readonly FileObject[];
  /** Containers and volumes on the node of this engine; it cannot see those of other nodes. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

export async function findStack({ engine, name }: Stack, signal: AbortSignal): Promise<StackObjects> {
  const label = labelOf(name);
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

/** For people, such as `service bench_gateway`. Containers and volumes are left out. */
export function namesOf({ services, networks, configs, secrets }: StackObjects): readonly string[] {
  return [
    ...services.map(({ Spec }) => `service ${Spec.Name}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...secrets.map(({ Spec }) => `secret ${Spec.Name}`),
    ...configs.map(({ Spec }) => `config ${Spec.Name}`),
  ];
}

/** The effect of a deployment on one object. */
export interface Change {
  readonly kind: 'network' | 'secret' | 'config' | 'service';
  readonly name: string;
  readonly did: 'created' | 'updated' | 'unchanged' | 'removed';
}

export type OnChange = (change: Change) => void;

/** For people, such as `service bench_gateway`. */
export function nameOf({ kind, name }: Change): string {
  return `${kind} ${name}`;
}

const LEFT_MS = 5_000;

/**
 * Runs `change`; an error that it throws also says which objects of the stack exist then.
 * @param action for the message of an interrupt: `deploying`
 * @param known what certainly exists, in case the engine no longer answers
 */
export async function namingLeftObjects<Result>(
  stack: Stack,
  action: string,
  known: () => readonly string[],
  signal: AbortSignal,
  change: () => Promise<Result>,
): Promise<Result> {
  try {
    return await change();
  } catch (error) {
    // Not with `signal`, whose abort may be the reason why we are here.
    const left = await findStack(stack, AbortSignal.timeout(LEFT_MS)).then(namesOf, known);
    throw signal.aborted ? interrupted(stack, action, left, error) : withLeft(error, left);
  }
}

function interrupted({ name }: Stack, action: string, left: readonly string[], cause: unknown): StackError {
  const hint =
    left.length === 0 ? undefined : `\`swarmbench down --stack ${name}\` removes them; the same command again goes on`;
  return new StackError('INTERRUPTED', `interrupted while ${action} ${name}`, hint, left, cause);
}

function withLeft(error: unknown, left: readonly string[]): unknown {
  if (error instanceof StackError) return new StackError(error.code, error.message, error.hint, left, error.cause);
  if (error instanceof EngineError) return new StackError(error.code, error.message, error.hint, left, error);
  return error;
}
