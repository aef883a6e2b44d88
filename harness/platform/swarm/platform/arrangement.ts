/**
 * How many replicas the services of the stack have while a run is on, and at rest. What rest is stands in a label of the
 * service itself, so that whoever comes after a killed harness can go back to it.
 */
import type { Service } from '../engine/answers.js';
import { StackError } from '../stack/stack-error.js';
import type { Awaited } from '../stack/wait-converged.js';
import { servicesOf, type Stack } from './stack-services.js';

/** Replicas at rest; the label is there only while the service is not at rest. */
export const REST_LABEL = 'swarmbench.rest.replicas';

/**
 * Gives the services named what is wanted and puts all others back to rest. Gives those named, for `waitConverged`.
 * @param wanted replicas by name, as in the stack file
 * @throws StackError UNKNOWN_STACK; NOT_SCALABLE for a wanted service that has no number of replicas; EngineError
 */
export async function arrange(stack: Stack, wanted: ReadonlyMap<string, number>, signal: AbortSignal): Promise<readonly Awaited[]> {
  const services = await servicesOf(stack, signal);
  const awaited: Awaited[] = [];
  for (const [name, service] of services) {
    const replicas = wanted.get(name);
    if (replicas === undefined && service.Spec.Labels[REST_LABEL] === undefined) continue;
    const { before } = await stack.engine.services.change(service.ID, (current) => arranged(current, replicas), signal);
    if (replicas !== undefined) awaited.push({ id: service.ID, name: service.Spec.Name, lastUpdate: before.UpdateStatus?.StartedAt });
  }
  return awaited;
}

/** Everything back to rest. Gives the names of what was not, as in the stack file. */
export async function rest(stack: Stack, signal: AbortSignal): Promise<readonly string[]> {
  const services = await servicesOf(stack, signal);
  await arrange(stack, new Map(), signal);
  return [...services].filter(([, { Spec }]) => Spec.Labels[REST_LABEL] !== undefined).map(([name]) => name);
}

/** The spec with this many replicas; undefined when there is nothing to change. @param wanted undefined: what it has at rest */
export function arranged({ Spec }: Pick<Service, 'Spec'>, wanted: number | undefined): object | undefined {
  const { [REST_LABEL]: noted, ...labels } = Spec.Labels;
  const { Replicated } = Spec.Mode;
  if (Replicated === undefined) {
    if (wanted === undefined) return undefined;
    throw new StackError('NOT_SCALABLE', `${Spec.Name} is not a replicated service, so it cannot be given ${wanted} replicas`, 'give it `deploy.mode: replicated` in the stack file');
  }
  // The engine takes no number for 1.
  const now = Replicated.Replicas ?? 1;
  const atRest = noted === undefined ? now : Number(noted);
  const replicas = wanted ?? atRest;
  if (replicas === now && (noted !== undefined) === (replicas !== atRest)) return undefined;
  const Labels = replicas === atRest ? labels : { ...labels, [REST_LABEL]: String(atRest) };
  return { ...Spec, Labels, Mode: { ...Spec.Mode, Replicated: { ...Replicated, Replicas: replicas } } };
}
