/**
 * Gives services of the stack the replicas that a run needs, and returns them to idle afterwards. What a service is
 * when idle is kept in one of its labels, so that it can be restored even after the harness was killed.
 */
import type { Service } from '../engine/answers.js';
import { specWithReplicas } from '../stack/scale-services.js';
import { wantedReplicas } from '../stack/service-progress.js';
import { StackError } from '../stack/stack-error.js';
import { type Stack, servicesOf } from '../stack/stack-objects.js';
import { type AwaitedService, awaitedAfter } from '../stack/wait-converged.js';
import { returnGatewayToIdle } from './gateway.js';
import { TARGET } from './target.js';
import { IDLE_IMAGE_LABEL, type TargetImage, withImage } from './target-image.js';

/** The number of replicas of the idle service; set only while the service is not idle. */
export const IDLE_REPLICAS_LABEL = 'swarmbench.rest.replicas';

/**
 * Gives the named services these replicas, and returns all others to idle. Returns the named ones, for `waitConverged`.
 * @param wanted replicas by name, as in the stack file
 * @param image to run as the target; undefined: the stack's own
 * @throws StackError UNKNOWN_STACK; NOT_SCALABLE for a named service that has no number of replicas; EngineError
 */
export async function scaleForRun(
  stack: Stack,
  wanted: ReadonlyMap<string, number>,
  image: TargetImage | undefined,
  signal: AbortSignal,
): Promise<readonly AwaitedService[]> {
  const services = await servicesOf(stack, signal);
  const awaited: AwaitedService[] = [];
  for (const [name, service] of services) {
    const replicas = wanted.get(name);
    if (replicas === undefined && isIdle(service)) continue;
    const { before } = await stack.engine.services.change(
      service.ID,
      (current) => next(current, replicas, name === TARGET ? image : undefined),
      signal,
    );
    if (replicas !== undefined) awaited.push(awaitedAfter(before));
  }
  return awaited;
}

/** Returns the whole stack to idle. @returns the names, as in the stack file, of the services that were not idle */
export async function returnToIdle(stack: Stack, signal: AbortSignal): Promise<readonly string[]> {
  const services = await servicesOf(stack, signal);
  await scaleForRun(stack, new Map(), undefined, signal);
  await returnGatewayToIdle(stack, services, signal);
  return [...services].filter(([, service]) => !isIdle(service)).map(([name]) => name);
}

function isIdle({ Spec }: Service): boolean {
  return Spec.Labels[IDLE_REPLICAS_LABEL] === undefined && Spec.Labels[IDLE_IMAGE_LABEL] === undefined;
}

/** Replicas and image in one update: two updates would each replace tasks. */
function next(current: Service, replicas: number | undefined, image: TargetImage | undefined): object | undefined {
  const scaled = withReplicas(current, replicas);
  return withImage({ Spec: scaled ?? current.Spec }, image) ?? scaled;
}

/**
 * The spec with this many replicas; undefined when nothing has to change.
 * @param wanted undefined: as many as the idle service has
 */
export function withReplicas({ Spec }: Pick<Service, 'Spec'>, wanted: number | undefined): Service['Spec'] | undefined {
  if (Spec.Mode.Replicated === undefined) {
    if (wanted === undefined) return undefined;
    throw new StackError(
      'NOT_SCALABLE',
      `${Spec.Name} is not a replicated service, so it cannot be given ${wanted} replicas`,
      'give it `deploy.mode: replicated` in the stack file',
    );
  }
  const { [IDLE_REPLICAS_LABEL]: kept, ...labels } = Spec.Labels;
  const now = wantedReplicas({ Spec });
  const idle = kept === undefined ? now : Number(kept);
  const replicas = wanted ?? idle;
  if (replicas === now && (kept !== undefined) === (replicas !== idle)) return undefined;
  const Labels = replicas === idle ? labels : { ...labels, [IDLE_REPLICAS_LABEL]: String(idle) };
  return specWithReplicas({ ...Spec, Labels }, replicas);
}
