import { execFile } from 'node:child_process';
import { release, userInfo } from 'node:os';
import type { Engine } from '../engine/engine.js';
import { completed, type KernelFacts, untried } from './kernel-facts.js';
import { readTrial, TRIAL } from './trial.js';

const TRY_MS = 10_000;
/** Label of the container, so that one that outlives a crash can be recognised. */
const LABEL = 'swarmbench.trial';

/**
 * Tests what the kernel of an engine can do: in a short-lived container, else in a network namespace of this machine.
 * @param image with sh, ip and tc; if it is undefined or the engine does not have it, no container is used
 * @throws EngineError when the engine does not answer; the signal's reason
 */
export async function tryKernel(engine: Engine, image: string | undefined, signal: AbortSignal): Promise<KernelFacts> {
  const isThere = image !== undefined && (await engine.images.find(image, signal)) !== undefined;
  const inContainer = isThere ? await tryInContainer(engine, image, signal) : undefined;
  if (
    inContainer !== undefined &&
    [inContainer.vxlan, inContainer.ipvs, inContainer.netem].every(({ kind }) => kind !== 'unknown')
  )
    return inContainer;
  // The kernel of another machine cannot be tested from here.
  const { KernelVersion } = await engine.info(signal);
  if (KernelVersion !== release())
    return inContainer ?? untried('the engine is on another machine and has no image with the programs for the test');
  const inNamespace = await tryInNamespace(signal);
  return inContainer === undefined ? inNamespace : completed(inContainer, inNamespace);
}

/** Undefined when the engine cannot run the container. */
async function tryInContainer(
  { docker }: Engine,
  image: string,
  signal: AbortSignal,
): Promise<KernelFacts | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]);
  try {
    // Not interruptible, because that could leave a container behind. It takes a tenth of a second.
    const container = await docker.createContainer({
      Image: image,
      Entrypoint: ['sh', '-c', TRIAL],
      Cmd: [],
      User: '0',
      Tty: true,
      Labels: { [LABEL]: 'yes' },
      HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
    });
    try {
      await container.start({ abortSignal: limit });
      await container.wait({ abortSignal: limit });
      return readTrial(
        (await container.logs({ stdout: true, follow: false, abortSignal: limit })).toString(),
        'container',
      );
    } finally {
      await container.remove({ force: true, v: true });
    }
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function tryInNamespace(signal: AbortSignal): Promise<KernelFacts> {
  // Root needs no user namespace, and in one the kernel would not load modules for us.
  const how = userInfo().uid === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  return new Promise((resolve) => {
    execFile('unshare', [...how, 'sh', '-c', TRIAL], { timeout: TRY_MS, signal }, (error, stdout, stderr) => {
      if (error === null) resolve(readTrial(stdout, 'namespace'));
      else resolve(untried(`there is no network namespace for the test: ${stderr.trim() || error.message}`));
    });
  });
}
