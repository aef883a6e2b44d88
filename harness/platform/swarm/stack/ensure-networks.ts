import type { StackSpec } from '../compose/compose-to-swarm.js';
import { STACK_LABEL } from '../compose/convert/context.js';
import type { NetworkSpec } from '../compose/swarm-types.js';
import type { Engine } from '../engine/engine.js';
import type { TellChange } from './change.js';
import { StackError } from './stack-error.js';

/**
 * Gives the id of each network by its name. A network that is there already is left as it is, as the Docker CLI leaves
 * it.
 */
export async function ensureNetworks(
  engine: Engine,
  stack: StackSpec,
  tell: TellChange,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const name of stack.externalNetworks) ids.set(name, await externalNetwork(engine, name, signal));
  for (const spec of stack.networks) ids.set(spec.Name, await ensureNetwork(engine, stack.name, spec, tell, signal));
  return ids;
}

async function externalNetwork(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const network = await engine.networks.find(name, signal);
  if (network?.Scope === 'swarm') return network.Id;
  const message =
    network === undefined
      ? `the external network ${name} does not exist`
      : `the external network ${name} exists on one node only, so services cannot use it`;
  throw new StackError('EXTERNAL_MISSING', message, `docker network create --driver overlay ${name}`);
}

async function ensureNetwork(
  engine: Engine,
  stack: string,
  spec: NetworkSpec,
  tell: TellChange,
  signal: AbortSignal,
): Promise<string> {
  const existing = await engine.networks.find(spec.Name, signal);
  if (existing === undefined) {
    const id = await engine.networks.create(spec, signal);
    tell({ kind: 'network', name: spec.Name, did: 'created' });
    return id;
  }
  if (existing.Labels[STACK_LABEL] !== stack) {
    throw new StackError(
      'NAME_NOT_OURS',
      `a network ${spec.Name} exists and is not of the stack ${stack}`,
      'deploy under another name (--stack), or make it an external network',
    );
  }
  tell({ kind: 'network', name: spec.Name, did: 'unchanged' });
  return existing.Id;
}
