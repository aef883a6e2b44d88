/**
 * How many replicas the services of the stack have while a run is on, and at rest. What rest is stands in a label of
 * the service itself, so that whoever comes after a killed harness can go back to it.
 */
import type { Service } from '../engine/answers.js';
import { StackError } from '../stack/stack-error.js';
import { type Stack, servicesOf } from '../stack/stack-objects.js';
import type { Awaited } from '../stack/wait-converged.js';
import { restGateway } from './gateway.js';
import { TARGET } from './target.js';
import { REST_IMAGE_LABEL, type TargetImage, withImage } from './target-image.js';

/** Replicas at rest; the label is there only while the service is not at rest. */
export const REST_LABEL = 'swarmbench.rest.replicas';

/**
 * Gives the services named what is wanted and puts all others back to rest. Gives those named, for `waitConverged`.
 * @param wanted replicas by name, as in the stack file
 * @param image in the place of the target's own; undefined: its own
 * @throws StackError UNKNOWN_STACK; NOT_SCALABLE for a wanted service that has no number of replicas; EngineError
 */
export async function scaleForRun(
  stack: Stack,
  wanted: ReadonlyMap<string, number>,
  image: TargetImage | undefined,
  signal: AbortSignal,
): Promise<readonly Awaited[]> {
  const services = await servicesOf(stack, signal);
  const awaited: Awaited[] = [];
  for (const [name, service] of services) {
    const replicas = wanted.get(name);
    if (replicas === undefined && isAtRest(service)) continue;
    const { before } = await stack.engine.services.change(
      service.ID,
      (current) => next(current, replicas, name === TARGET ? image : undefined),
      signal,
    );
    if (replicas !== undefined)
      awaited.push({ id: service.ID, name: service.Spec.Name, lastUpdate: before.UpdateStatus?.StartedAt });
  }
  return awaited;
}

/** Everything back to rest. Gives the names of what was not, as in the stack file. */
export async function rest(stack: Stack, signal: AbortSignal): Promise<readonly string[]> {
  const services = await servicesOf(stack, signal);
  await scaleForRun(stack, new Map(), undefined, signal);
  await restGateway(stack, services, signal);
  return [...services].filter(([, service]) => !isAtRest(service)).map(([name]) => name);
}

function isAtRest({ Spec }: Service): boolean {
  return Spec.Labels[REST_LABEL] === undefined && Spec.Labels[REST_IMAGE_LABEL] === undefined;
}

/** Both in one update: two of them would each replace tasks. */
function next(current: Service, replicas: number | undefined, image: TargetImage | undefined): object | undefined {
  const scaled = withReplicas(current, replicas);
  return withImage({ Spec: scaled ?? current.Spec }, image) ?? scaled;
}

/**
 * The spec with this many replicas; undefined when there is nothing to change. @param wanted undefined: what it has at
 * rest
 */
export function withReplicas({ Spec }: Pick<Service, 'Spec'>, wanted: number | undefined): Service['Spec'] | undefined {
  const { [REST_LABEL]: noted, ...labels } = Spec.Labels;
  const { Replicated } = Spec.Mode;
  if (Replicated === undefined) {
    if (wanted === undefined) return undefined;
    throw new StackError(
      'NOT_SCALABLE',
      `${Spec.Name} is not a replicated service, so it cannot be given ${wanted} replicas`,
      'give it `deploy.mode: replicated` in the stack file',
    );
  }
  // The engine takes no number for 1.
  const now = Replicated.Replicas ?? 1;
  const atRest = noted === undefined ? now : Number(noted);
  const replicas = wanted ?? atRest;
  if (replicas === now && (noted !== undefined) === (replicas !== atRest)) return undefined;
  const Labels = replicas === atRest ? labels : { ...labels, [REST_LABEL]: String(atRest) };
  return { ...Spec, Labels, Mode: { ...Spec.Mode, Replicated: { ...Replicated, Replicas: replicas } } };
}
