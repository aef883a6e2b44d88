import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import type { RegistryAuth } from '../images/registry-auth.js';

/**
 * A registry that does not answer must not hold up a deployment: without a digest the nodes use what the tag means to
 * them.
 */
const ASK_MS = 5_000;

/** Gives the image with the digest that its registry has now, or as it is named where none is to be had. */
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
  // Built here and never pushed: no registry can know it.
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
