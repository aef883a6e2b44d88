import { IMAGE_LABEL } from '../compose/stack-names.js';
import type { ContainerSpec, ServiceSpec } from '../compose/swarm-types.js';
import type { Service } from '../engine/answers.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import type { RegistryAuth } from '../images/registry-auth.js';
import { sameSpec, wouldBeSame } from './same-spec.js';
import type { OnChange } from './stack-objects.js';

/** The objects on this engine that the names in the stack files mean. */
interface Resolved {
  readonly networks: ReadonlyMap<string, string>;
  readonly configs: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
  /** The image to run for the one that the files name: with its digest where that is known. */
  readonly image: (reference: string) => Promise<string>;
  readonly registryAuth: RegistryAuth;
}

interface AppliedService {
  readonly id: string;
  /** When its last update before this deployment began. */
  readonly lastUpdate: string | undefined;
}

/** Creates the service, or updates it if something has changed. */
export async function applyService(
  engine: Engine,
  spec: ServiceSpec,
  existing: Service | undefined,
  resolved: Resolved,
  onChange: OnChange,
  signal: AbortSignal,
): Promise<AppliedService> {
  const wanted = withIds(spec, resolved);
  const name = spec.Name;
  const auth = await resolved.registryAuth(spec.TaskTemplate.ContainerSpec.Image ?? '');
  if (existing === undefined) {
    const id = await engine.services.create(
      withImage(wanted, await resolved.image(spec.TaskTemplate.ContainerSpec.Image ?? '')),
      auth,
      signal,
    );
    onChange({ kind: 'service', name, did: 'created' });
    return { id, lastUpdate: undefined };
  }
  const id = existing.ID;
  const image = await imageFor(spec, existing, resolved);
  const { before, sent } = await engine.services.change(
    id,
    (current) => {
      const next = keepForce(withImage(wanted, image), current);
      // The engine does not say which credentials a service has, so they are always sent; tasks that have their image
      // stay.
      return auth === undefined && wouldBeSame(next, current.Spec, resolved.networks) ? undefined : next;
    },
    signal,
    auth,
  );
  const changed = sent && !sameSpec((await engine.services.inspect(id, signal)).Spec, before.Spec);
  onChange({ kind: 'service', name, did: changed ? 'updated' : 'unchanged' });
  return { id, lastUpdate: sent ? undefined : before.UpdateStatus?.StartedAt };
}

/**
 * The image that the last deployment pinned stays as long as the files name the same one: otherwise every deployment
 * would replace all tasks.
 */
async function imageFor(spec: ServiceSpec, existing: Service, { image }: Resolved): Promise<string> {
  const named = spec.Labels[IMAGE_LABEL];
  const running = existing.Spec.TaskTemplate.ContainerSpec?.Image;
  if (running !== undefined && existing.Spec.Labels[IMAGE_LABEL] === named) return running;
  return await image(spec.TaskTemplate.ContainerSpec.Image ?? '');
}

/** Does not undo a `docker service update --force`. */
function keepForce(spec: ServiceSpec, current: Service): ServiceSpec {
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ForceUpdate: current.Spec.TaskTemplate.ForceUpdate } };
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  if (image === '') return spec;
  return {
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, Image: image } },
  };
}

function withIds(spec: ServiceSpec, { configs, secrets }: Resolved): ServiceSpec {
  const { Configs, Secrets, Privileges, ...container } = spec.TaskTemplate.ContainerSpec;
  const ContainerSpec: ContainerSpec = {
    ...container,
    ...(Configs && { Configs: Configs.map((one) => ({ ...one, ConfigID: configs.get(one.ConfigName) ?? '' })) }),
    ...(Secrets && { Secrets: Secrets.map((one) => ({ ...one, SecretID: secrets.get(one.SecretName) ?? '' })) }),
    ...(Privileges && {
      Privileges: {
        ...Privileges,
        CredentialSpec: Privileges.CredentialSpec && {
          ...Privileges.CredentialSpec,
          Config: configs.get(Privileges.CredentialSpec.Config) ?? '',
        },
      },
    }),
  };
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec } };
}

/**
 * A registry that does not answer must not hold up a deployment. Without a digest each node uses the image that it has
 * under that tag, or pulls.
 */
const ASK_MS = 5_000;

/** The image with the digest that its registry has now, or without one where the registry knows none. */
export function imagePinner(
  engine: Engine,
  pin: boolean,
  registryAuth: RegistryAuth,
  signal: AbortSignal,
): (reference: string) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  return (reference) => {
    if (!pin || reference === '' || reference.includes('@')) return Promise.resolve(reference);
    const asked = known.get(reference) ?? pinned(engine, reference, registryAuth, signal);
    known.set(reference, asked);
    return asked;
  };
}

async function pinned(
  engine: Engine,
  reference: string,
  registryAuth: RegistryAuth,
  signal: AbortSignal,
): Promise<string> {
  const local = await engine.images.find(reference, signal);
  // Built here and never pushed: no registry knows it.
  if (local !== undefined && local.RepoDigests.length === 0) return reference;
  const auth = await registryAuth(reference);
  const timeout = AbortSignal.timeout(ASK_MS);
  try {
    return `${reference}@${await engine.images.remoteDigest(reference, auth, AbortSignal.any([signal, timeout]))}`;
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted || error instanceof EngineError) return reference;
    throw error;
  }
}
