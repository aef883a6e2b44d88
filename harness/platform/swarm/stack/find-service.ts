import { scoped } from '../compose/convert/context.js';
import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { StackError } from './stack-error.js';
import { labelOf } from './stack-objects.js';

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
