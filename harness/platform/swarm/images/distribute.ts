/** Brings images to where tasks will need them: into the engines of other nodes, or to a registry. */
import type Docker from 'dockerode';
import { messageOf } from '../../../support/error-message.js';
import { findImage, finish, type OnImageProgress, secondsSince, tagImage } from './engine-images.js';
import { ImageError } from './image-error.js';
import { type Credentials, registryCredentials } from './registry-auth.js';

export interface NodeEngine {
  /** As shown to people. */
  readonly name: string;
  readonly docker: Docker;
}

/** dockerode has this method, its types do not. */
interface SavesMany extends Docker {
  getImages(options: {
    readonly names: readonly string[];
    readonly abortSignal: AbortSignal;
  }): Promise<NodeJS.ReadableStream>;
}

/** Sends every node what it does not have yet. @throws ImageError IMAGE_TRANSFER_FAILED */
export async function loadImages(
  docker: Docker,
  nodes: readonly NodeEngine[],
  references: readonly string[],
  onProgress: OnImageProgress,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      const began = performance.now();
      onProgress({ kind: 'loading', node: node.name });
      const images = await loadInto(docker, node, references, signal);
      onProgress({ kind: 'loaded', node: node.name, images, seconds: secondsSince(began) });
    }),
  );
}

/** Returns the number of images sent. @throws ImageError IMAGE_TRANSFER_FAILED */
export async function loadInto(
  from: Docker,
  node: NodeEngine,
  references: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  try {
    const missing: string[] = [];
    for (const reference of references) {
      const [here, there] = await Promise.all([findImage(from, reference), findImage(node.docker, reference)]);
      if (here?.id !== there?.id) missing.push(reference);
    }
    if (missing.length === 0) return 0;
    // All in one stream, so that the layers they share travel once.
    const saved = await (from as SavesMany).getImages({ names: missing, abortSignal: signal });
    await finish(node.docker, await node.docker.loadImage(saved, { abortSignal: signal }));
    return missing.length;
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError(
      'IMAGE_TRANSFER_FAILED',
      `could not load images into node ${node.name}: ${messageOf(error)}`,
      'does its engine answer, and has its disk room?',
    );
  }
}

interface PushOptions {
  readonly docker: Docker;
  /** Images by the variables that select them in the stack file. */
  readonly environment: Readonly<Record<string, string>>;
  /** `HOST[:PORT][/PATH]` */
  readonly registry: string;
  /** For finding the credentials that `docker login` keeps. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress: OnImageProgress;
}

/** Returns the same variables, with the names in the registry. @throws ImageError IMAGE_TRANSFER_FAILED */
export async function pushImages(
  { docker, environment, registry, env, onProgress }: PushOptions,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const credentials = await registryCredentials(registry, env);
  const pushed: Record<string, string> = {};
  for (const [variable, reference] of Object.entries(environment)) {
    const began = performance.now();
    onProgress({ kind: 'pushing', image: reference });
    const image = await pushTo({ name: registry, credentials }, docker, reference, signal);
    pushed[variable] = image;
    onProgress({ kind: 'pushed', image, seconds: secondsSince(began) });
  }
  return pushed;
}

interface Registry {
  readonly name: string;
  readonly credentials: Credentials | undefined;
}

/** Returns the name in the registry. */
async function pushTo(
  { name, credentials }: Registry,
  docker: Docker,
  reference: string,
  signal: AbortSignal,
): Promise<string> {
  const remote = `${name.replace(/\/$/, '')}/${reference}`;
  try {
    await tagImage(docker, reference, remote);
    // The engine wants credentials to be sent even where there are none.
    const authconfig = credentials ?? { username: '', password: '', serveraddress: '' };
    await finish(docker, await docker.getImage(remote).push({ abortSignal: signal, authconfig }));
    return remote;
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError(
      'IMAGE_TRANSFER_FAILED',
      `could not push ${remote}: ${messageOf(error)}`,
      'if the registry asks for a login: docker login',
    );
  }
}
