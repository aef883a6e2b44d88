import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { shortName } from '../stack/find-service.js';
import { StackError } from '../stack/stack-error.js';
import { labelOf } from '../stack/stack-objects.js';

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
