import type { Service } from '../engine/answers.js';
import { type ServiceProgress, wantedReplicas } from './service-progress.js';
import { StackError } from './stack-error.js';
import { findServices, type Stack } from './stack-objects.js';
import { type AwaitedService, awaitedAfter, type WaitOptions, waitConverged } from './wait-converged.js';

/**
 * Sets the number of replicas of some services, and waits until these run.
 * @param replicas by the name of the service, as in the stack file or in full
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE, NOT_SCALABLE before anything is changed; later what
 * `waitConverged` throws
 */
export async function scaleServices(
  stack: Stack,
  replicas: Readonly<Record<string, number>>,
  options: WaitOptions,
  onProgress: (services: readonly ServiceProgress[]) => void,
  signal: AbortSignal,
): Promise<readonly ServiceProgress[]> {
  const services = await findServices(stack, Object.keys(replicas), signal);
  for (const { Spec } of services) {
    if (Spec.Mode.Replicated === undefined)
      throw new StackError(
        'NOT_SCALABLE',
        `${Spec.Name} is not a replicated service, so it has no number of replicas`,
        'a global service runs once on every node that fits its constraints',
      );
  }
  const counts = Object.values(replicas);
  const awaited = await Promise.all(
    services.map((service, index) => setReplicas(stack, service, counts[index] ?? 0, signal)),
  );
  return await waitConverged(stack, awaited, options, onProgress, signal);
}

async function setReplicas(
  { engine }: Stack,
  { ID }: Service,
  replicas: number,
  signal: AbortSignal,
): Promise<AwaitedService> {
  const { before } = await engine.services.change(
    ID,
    (current) => (wantedReplicas(current) === replicas ? undefined : specWithReplicas(current.Spec, replicas)),
    signal,
  );
  return awaitedAfter(before);
}

/** @param spec of a replicated service */
export function specWithReplicas(spec: Service['Spec'], replicas: number): Service['Spec'] {
  return { ...spec, Mode: { ...spec.Mode, Replicated: { ...spec.Mode.Replicated, Replicas: replicas } } };
}
