/** Brings images to where tasks will need them: into other nodes' engines, or to a registry. */
import type Docker from 'dockerode';
import { findImage, finish, tagImage } from './engine-images.js';
import { ImageError } from './image-error.js';
import type { Credentials } from './registry-auth.js';

export interface NodeEngine {
  /** As shown to people. */
  readonly name: string;
  readonly docker: Docker;
}

/** dockerode can do it, its types do not say so. */
interface SavesMany extends Docker {
  getImages(options: {
    readonly names: readonly string[];
    readonly abortSignal: AbortSignal;
  }): Promise<NodeJS.ReadableStream>;
}

/** Sends what the node does not have yet; gives the number of images sent. @throws ImageError IMAGE_TRANSFER_FAILED */
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
    // All in one, so that layers they share travel once.
    const saved = await (from as SavesMany).getImages({ names: missing, abortSignal: signal });
    await finish(node.docker, await node.docker.loadImage(saved, { abortSignal: signal }));
    return missing.length;
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError(
      'IMAGE_TRANSFER_FAILED',
      `images for node ${node.name}: ${messageOf(error)}`,
      'does its engine answer, and has its disk room?',
    );
  }
}

interface Registry {
  /** `HOST[:PORT][/PATH]` */
  readonly name: string;
  readonly credentials: Credentials | undefined;
}

/** Tags and pushes; gives the name in the registry. @throws ImageError IMAGE_TRANSFER_FAILED */
export async function pushTo(
  { name, credentials }: Registry,
  docker: Docker,
  reference: string,
  signal: AbortSignal,
): Promise<string> {
  const remote = `${name.replace(/\/$/, '')}/${reference}`;
  try {
    await tagImage(docker, reference, remote);
    // The engine wants to be told of credentials even where there are none.
    const authconfig = credentials ?? { username: '', password: '', serveraddress: '' };
    await finish(docker, await docker.getImage(remote).push({ abortSignal: signal, authconfig }));
    return remote;
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError(
      'IMAGE_TRANSFER_FAILED',
      `${remote}: ${messageOf(error)}`,
      'log in first where the registry asks for it: docker login',
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
