import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import type { RegistryAuth } from '../images/registry-auth.js';
import type { PreflightFinding } from './finding.js';

const ASK_MS = 10_000;

/** Images that tasks will not find: neither here nor in a registry. Services at rest do not need theirs. */
export async function checkImages(
  engine: Engine,
  { services }: StackSpec,
  nodes: number,
  registryAuth: RegistryAuth,
  signal: AbortSignal,
): Promise<readonly PreflightFinding[]> {
  const running = services.filter(({ Mode }) => Mode.Replicated?.Replicas !== 0);
  const references = new Set(
    running.flatMap(
      ({
        TaskTemplate: {
          ContainerSpec: { Image = '' },
        },
      }) => (Image === '' ? [] : [Image]),
    ),
  );
  const findings = await Promise.all(
    [...references].map((reference) => checkImage(engine, reference, registryAuth, signal)),
  );
  const missing = findings.filter((finding) => finding !== undefined && finding !== 'made here');
  const madeHere = [...references].filter((_, index) => findings[index] === 'made here');
  return nodes === 1 || madeHere.length === 0 ? missing : [...missing, onlyHere(madeHere)];
}

/** One engine cannot ask what the others have. */
function onlyHere(references: readonly string[]): PreflightFinding {
  const [first = '', ...others] = references;
  return {
    level: 'warning',
    code: 'IMAGE_ON_ONE_NODE',
    message: `no registry has ${first}${others.length === 0 ? '' : ` and ${others.length} other images of this stack`}: nodes that were not given them cannot run them`,
    hint: 'swarmbench images --load DOCKER_HOST for each, or --push REGISTRY',
  };
}

async function checkImage(
  engine: Engine,
  reference: string,
  registryAuth: RegistryAuth,
  signal: AbortSignal,
): Promise<PreflightFinding | 'made here' | undefined> {
  const local = await engine.images.find(reference, signal);
  if (local !== undefined) return local.RepoDigests.length > 0 ? undefined : 'made here';
  const auth = await registryAuth(reference);
  const timeout = AbortSignal.timeout(ASK_MS);
  try {
    await engine.images.remoteDigest(reference, auth, AbortSignal.any([signal, timeout]));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!timeout.aborted && !(error instanceof EngineError)) throw error;
    const words = timeout.aborted
      ? `no answer within ${ASK_MS / 1000} s`
      : error instanceof Error
        ? error.message
        : String(error);
    return {
      level: 'problem',
      code: 'IMAGE_MISSING',
      message: `image ${reference} is not on this node, and cannot be pulled (${words})`,
      hint: 'swarmbench images makes what the stack needs; --offline where nothing can be pulled',
    };
  }
}
