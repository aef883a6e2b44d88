/**
 * Deploys a stack in the order of the Docker CLI (networks, secrets, configs, services), and waits until all of it
 * runs.
 */
import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { ServiceSpec } from '../compose/swarm-types.js';
import type { Engine } from '../engine/engine.js';
import { isEngineError } from '../engine/engine-error.js';
import { noRegistryAuth, type RegistryAuth } from '../images/registry-auth.js';
import { applyService, imagePinner } from './apply-service.js';
import { withContentNames } from './content-names.js';
import { ensureFiles, ensureNetworks } from './ensure-objects.js';
import type { ServiceProgress } from './service-progress.js';
import { type Change, labelOf, nameOf, namingLeftObjects, type OnChange } from './stack-objects.js';
import { type AwaitedService, type WaitOptions, waitConverged } from './wait-converged.js';

export interface DeployOptions extends WaitOptions {
  /** Put the hash of their content into the names of configs and secrets, and remove old ones. */
  readonly contentNames: boolean;
  /** Remove services of the stack that the files no longer name. */
  readonly prune: boolean;
  /** Pin images to the digest that their registry has now, so that all nodes run the same. */
  readonly pinImages: boolean;
  /** Credentials for the registries of the images; default: services keep those that they were given before. */
  readonly registryAuth?: RegistryAuth;
}

export type DeployProgress =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'services'; readonly services: readonly ServiceProgress[] };

export interface Deployed {
  readonly changes: readonly Change[];
  readonly services: readonly ServiceProgress[];
  readonly durationMs: number;
}

/**
 * Safe to repeat: objects that are as wanted stay untouched.
 * @throws StackError with the objects that are left, also when the engine refuses, goes away, or `signal` aborts
 */
export async function deployStack(
  engine: Engine,
  wanted: StackSpec,
  options: DeployOptions,
  onProgress: (progress: DeployProgress) => void,
  signal: AbortSignal,
): Promise<Deployed> {
  const began = performance.now();
  const stack = options.contentNames ? withContentNames(wanted) : wanted;
  const changes: Change[] = [];
  const onChange = (change: Change): void => {
    changes.push(change);
    onProgress({ kind: 'change', change });
  };
  const known = (): readonly string[] => changes.filter(({ did }) => did !== 'removed').map(nameOf);
  const deployed = { engine, name: stack.name };
  return await namingLeftObjects(deployed, 'deploying', known, signal, async () => {
    if (options.prune) await removeUnlisted(engine, stack, onChange, signal);
    const awaited = await apply(engine, stack, options, onChange, signal);
    const services = await waitConverged(
      deployed,
      awaited,
      options,
      (all) => onProgress({ kind: 'services', services: all }),
      signal,
    );
    if (options.contentNames) await removeOldFiles(engine, stack, onChange, signal);
    return { changes, services, durationMs: performance.now() - began };
  });
}

async function apply(
  engine: Engine,
  stack: StackSpec,
  options: DeployOptions,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<readonly AwaitedService[]> {
  const { secretNames, configNames } = referencesOf(stack.services);
  const networks = await ensureNetworks(engine, stack, onChange, signal);
  const secrets = await ensureFiles(
    engine.secrets,
    stack.name,
    stack.secrets,
    without(secretNames, stack.secrets),
    onChange,
    signal,
  );
  const configs = await ensureFiles(
    engine.configs,
    stack.name,
    stack.configs,
    without(configNames, stack.configs),
    onChange,
    signal,
  );
  const { pinImages, registryAuth = noRegistryAuth } = options;
  const resolved = {
    networks,
    secrets,
    configs,
    image: imagePinner(engine, pinImages, registryAuth, signal),
    registryAuth,
  };
  const existing = new Map(
    (await engine.services.labelled(labelOf(stack.name), signal)).map((service) => [service.Spec.Name, service]),
  );
  const awaited: AwaitedService[] = [];
  for (const spec of stack.services) {
    awaited.push({
      name: spec.Name,
      ...(await applyService(engine, spec, existing.get(spec.Name), resolved, onChange, signal)),
    });
  }
  return awaited;
}

function referencesOf(services: readonly ServiceSpec[]): {
  readonly secretNames: ReadonlySet<string>;
  readonly configNames: ReadonlySet<string>;
} {
  const containers = services.map(({ TaskTemplate }) => TaskTemplate.ContainerSpec);
  return {
    secretNames: new Set(containers.flatMap(({ Secrets = [] }) => Secrets.map(({ SecretName }) => SecretName))),
    configNames: new Set(containers.flatMap(({ Configs = [] }) => Configs.map(({ ConfigName }) => ConfigName))),
  };
}

function without(names: ReadonlySet<string>, own: readonly { readonly Name: string }[]): ReadonlySet<string> {
  const ours = new Set(own.map(({ Name }) => Name));
  return new Set([...names].filter((name) => !ours.has(name)));
}

/** Removes services of the stack that the files do not name. */
async function removeUnlisted(
  engine: Engine,
  stack: StackSpec,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const listed = new Set(stack.services.map(({ Name }) => Name));
  for (const { ID, Spec } of await engine.services.labelled(labelOf(stack.name), signal)) {
    if (listed.has(Spec.Name)) continue;
    await engine.services.remove(ID, signal);
    onChange({ kind: 'service', name: Spec.Name, did: 'removed' });
  }
}

/** Removes configs and secrets of the stack that the files do not name, except those that a service still uses. */
async function removeOldFiles(
  engine: Engine,
  stack: StackSpec,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<void> {
  const listed = new Set([...stack.configs, ...stack.secrets].map(({ Name }) => Name));
  for (const objects of [engine.configs, engine.secrets]) {
    for (const { ID, Spec } of await objects.labelled(labelOf(stack.name), signal)) {
      if (listed.has(Spec.Name)) continue;
      try {
        await objects.remove(ID, signal);
        onChange({ kind: objects.kind, name: Spec.Name, did: 'removed' });
      } catch (error) {
        // The engine keeps what the current or the previous spec of a service needs; the next deployment tries again.
        if (!isEngineError(error, 'OBJECT_IN_USE')) throw error;
      }
    }
  }
}
