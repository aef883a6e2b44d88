import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import type { Finding } from './finding.js';

const ASK_MS = 10_000;

/** Images that tasks will not find: neither here nor in a registry. Services at rest do not need theirs. */
export async function checkImages(engine: Engine, { services }: StackSpec, nodes: number, signal: AbortSignal): Promise<readonly Finding[]> {
  const running = services.filter(({ Mode }) => Mode.Replicated?.Replicas !== 0);
  const references = new Set(running.flatMap(({ TaskTemplate: { ContainerSpec: { Image = '' } } }) => (Image === '' ? [] : [Image])));
  const findings = await Promise.all([...references].map((reference) => checkImage(engine, reference, nodes, signal)));
  return findings.filter((finding) => finding !== undefined);
}

async function checkImage(engine: Engine, reference: string, nodes: number, signal: AbortSignal): Promise<Finding | undefined> {
  const local = await engine.images.find(reference, signal);
  if (local !== undefined) {
    if (nodes === 1 || local.RepoDigests.length > 0) return undefined;
    return {
      level: 'warning', code: 'IMAGE_ON_ONE_NODE', message: `image ${reference} was made on this node, and no registry has it for the others`,
      hint: 'swarmbench images --load DOCKER_HOST for each, or --push REGISTRY',
    };
  }
  const timeout = AbortSignal.timeout(ASK_MS);
  try {
    await engine.images.remoteDigest(reference, AbortSignal.any([signal, timeout]));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted && !(error instanceof EngineError)) throw error;
    const words = timeout.aborted ? `no answer within ${ASK_MS / 1000} s` : error instanceof Error ? error.message : String(error);
    return { level: 'problem', code: 'IMAGE_MISSING', message: `image ${reference} is not on this node, and cannot be pulled (${words})`, hint: 'swarmbench images makes what the stack needs; --offline where nothing can be pulled' };
  }
}
