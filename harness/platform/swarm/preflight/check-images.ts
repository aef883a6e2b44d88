import { messageOf } from '../../../support/error-message.js';
import type { StackSpec } from '../compose/compose-to-swarm.js';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import type { RegistryAuth } from '../images/registry-auth.js';
import type { PreflightFinding } from './finding.js';

const ASK_MS = 10_000;

/** Finds images that are neither on this node nor in a registry. Those of idle services are not needed. */
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

/** An engine does not know which images the others have. */
function onlyHere(references: readonly string[]): PreflightFinding {
  const [first = '', ...others] = references;
  const rest = others.length === 0 ? '' : ` and ${others.length} other images of this stack`;
  return {
    level: 'warning',
    code: 'IMAGE_ON_ONE_NODE',
    message: `no registry has ${first}${rest}: only nodes into which they were loaded can run them`,
    hint: 'swarmbench images --load DOCKER_HOST for each node, or --push REGISTRY',
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
    const reason = timeout.aborted ? `no answer within ${ASK_MS / 1000} s` : messageOf(error);
    return {
      level: 'problem',
      code: 'IMAGE_MISSING',
      message: `image ${reference} is not on this node, and cannot be pulled (${reason})`,
      hint: '`swarmbench images` builds our images; `docker load` brings others to a node that cannot pull',
    };
  }
}
