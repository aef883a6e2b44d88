import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import type { ServiceProgress } from './service-progress.js';
import { StackError } from './stack-error.js';
import { findServices } from './stack-objects.js';
import { type WaitOptions, waitConverged } from './wait-converged.js';

/**
 * Sets how many replicas services have, and waits until they run; other services are not looked at.
 * @param replicas by name, as in the stack file or in full
 * @throws StackError UNKNOWN_STACK, UNKNOWN_SERVICE, NOT_SCALABLE before anything is changed; and what `waitConverged`
 * throws
 */
export async function scaleServices(
  engine: Engine,
  stack: string,
  replicas: Readonly<Record<string, number>>,
  options: WaitOptions,
  onProgress: (services: readonly ServiceProgress[]) => void,
  signal: AbortSignal,
): Promise<readonly ServiceProgress[]> {
  const services = await findServices(engine, stack, Object.keys(replicas), signal);
  for (const { Spec } of services) {
    if (Spec.Mode.Replicated === undefined)
      throw new StackError(
        'NOT_SCALABLE',
        `${Spec.Name} is not a replicated service, so it has no number of replicas`,
        'a global service has one on every node that fits its constraints',
      );
  }
  const counts = Object.values(replicas);
  const awaited = await Promise.all(
    services.map((service, index) => setReplicas(engine, service, counts[index] ?? 0, signal)),
  );
  return await waitConverged(engine, stack, awaited, options, onProgress, signal);
}

async function setReplicas(
  engine: Engine,
  { ID, Spec }: Service,
  replicas: number,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly name: string; readonly lastUpdate: string | undefined }> {
  const { before } = await engine.services.change(
    ID,
    (current) => {
      const { Replicated } = current.Spec.Mode;
      if (Replicated?.Replicas === replicas) return undefined;
      return { ...current.Spec, Mode: { ...current.Spec.Mode, Replicated: { ...Replicated, Replicas: replicas } } };
    },
    signal,
  );
  return { id: ID, name: Spec.Name, lastUpdate: before.UpdateStatus?.StartedAt };
}
