import { STACK_LABEL, scoped } from '../compose/convert/context.js';
import type { Container, FileObject, Network, Service, Task, Volume } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { isOver } from './service-progress.js';
import { StackError } from './stack-error.js';

/** Everything that carries a stack's label. The label is the only proof that something is ours. */

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

/** What a deployment did to one object. */
export interface Change {
  readonly kind: 'network' | 'secret' | 'config' | 'service';
  readonly name: string;
  readonly did: 'created' | 'updated' | 'unchanged' | 'removed';
}

export type TellChange = (change: Change) => void;

/** For people: `service bench_gateway`. */
export function nameOf({ kind, name }: Change): string {
  return `${kind} ${name}`;
}

/**
 * By the names of the stack file or by the full ones, in the order asked for. @throws StackError UNKNOWN_STACK,
 * UNKNOWN_SERVICE
 */
export async function findServices(
  engine: Engine,
  stack: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Service[]> {
  const services = await engine.services.labelled(labelOf(stack), signal);
  if (services.length === 0)
    throw new StackError(
      'UNKNOWN_STACK',
      `there is no stack ${stack} in this swarm`,
      '`swarmbench up` deploys it; --stack names another one',
    );
  return names.map((name) => {
    const service = services.find(({ Spec }) => Spec.Name === scoped(stack, name) || Spec.Name === name);
    if (service !== undefined) return service;
    throw new StackError(
      'UNKNOWN_SERVICE',
      `the stack ${stack} has no service ${name}`,
      `it has ${services
        .map(({ Spec }) => shortName(Spec.Name, stack))
        .toSorted()
        .join(', ')}`,
    );
  });
}

/** As the stack file names it. */
export function shortName(service: string, stack: string): string {
  return service.startsWith(`${stack}_`) ? service.slice(stack.length + 1) : service;
}

/** Whatever ends a change of a stack, the error says what is there now and how to be rid of it. */

/** For one more look at an engine that may be the reason why we are here. */
const LOOK_MS = 5_000;

/**
 * @param doing `deploying`
 * @param made what is known to be there in case the engine no longer answers
 */
export async function namingWhatIsLeft<Result>(
  engine: Engine,
  stack: string,
  doing: string,
  made: () => readonly string[],
  signal: AbortSignal,
  act: () => Promise<Result>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const left = await leftNow(engine, stack).catch(() => made());
    throw withLeft(error, left, `${doing} ${stack}`, stack, signal);
  }
}

async function leftNow(engine: Engine, stack: string): Promise<readonly string[]> {
  return namesOf(await findStack(engine, stack, AbortSignal.timeout(LOOK_MS)));
}

function withLeft(error: unknown, left: readonly string[], doing: string, stack: string, signal: AbortSignal): unknown {
  if (signal.aborted) {
    const hint =
      left.length === 0
        ? undefined
        : `\`swarmbench down --stack ${stack}\` removes them; the same command again goes on`;
    return new StackError('INTERRUPTED', `interrupted while ${doing}`, hint, left, error);
  }
  if (error instanceof StackError) return new StackError(error.code, error.message, error.hint, left, error.cause);
  if (error instanceof EngineError) return new StackError(error.code, error.message, error.hint, left, error);
  return error;
}

/** The services of one stack by the names of its file. */
export type StackServices = ReadonlyMap<string, Service>;

export interface Stack {
  readonly engine: Engine;
  readonly name: string;
}

/** @throws StackError UNKNOWN_STACK */
export async function servicesOf({ engine, name }: Stack, signal: AbortSignal): Promise<StackServices> {
  const services = await engine.services.labelled(labelOf(name), signal);
  if (services.length === 0)
    throw new StackError('UNKNOWN_STACK', `there is no stack ${name} in this swarm`, '`swarmbench up` deploys it');
  return new Map(services.map((service) => [shortName(service.Spec.Name, name), service]));
}
