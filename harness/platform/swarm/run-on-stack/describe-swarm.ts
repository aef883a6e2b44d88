/** The environment section of the report: everything about the swarm that influences what a run measures. */
import { IMAGE_LABEL } from '../compose/stack-names.js';
import type { Engine } from '../engine/engine.js';
import type { Stack, StackServices } from '../stack/stack-objects.js';

export interface OwnVersions {
  readonly swarmbench: string;
  readonly node: string;
}

export async function describeSwarm(
  { engine, name }: Stack,
  services: StackServices,
  versions: OwnVersions,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const [info, nodes, images] = await Promise.all([
    engine.info(signal),
    engine.nodes.all(signal),
    imagesOf(engine, services, signal),
  ]);
  return {
    platform: 'swarm',
    stack: name,
    nodes: nodes.map(({ ID, Spec, Status, Description: { Hostname, Platform, Resources, Engine } }) => ({
      name: Hostname,
      id: ID,
      role: Spec.Role,
      state: Status.State,
      availability: Spec.Availability,
      address: Status.Addr,
      engine: Engine?.EngineVersion,
      arch: Platform?.Architecture,
      cores: (Resources?.NanoCPUs ?? 0) / 1e9,
      memoryBytes: Resources?.MemoryBytes,
      // An engine knows only its own kernel.
      ...(ID === info.Swarm.NodeID ? { kernel: info.KernelVersion, os: info.OperatingSystem } : {}),
    })),
    images,
    versions,
  };
}

/** By service: the image that the stack file names, with the digest or id that it has on the manager's node. */
async function imagesOf(
  engine: Engine,
  services: StackServices,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const references = new Map(
    [...services].map(([name, { Spec }]) => [
      name,
      Spec.TaskTemplate.ContainerSpec?.Image ?? Spec.Labels[IMAGE_LABEL] ?? '',
    ]),
  );
  const known = new Map(
    await Promise.all(
      [...new Set(references.values())].map(async (reference) => {
        const image = await engine.images.find(reference, signal).catch(() => undefined);
        const digest = image?.RepoDigests[0]?.split('@')[1] ?? image?.Id;
        return [
          reference,
          digest === undefined || reference.includes('@') ? reference : `${reference}@${digest}`,
        ] as const;
      }),
    ),
  );
  return Object.fromEntries([...references].map(([name, reference]) => [name, known.get(reference) ?? reference]));
}
