/** Builds the images of our own programs on one engine and brings them to the nodes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { messageOf } from '../../../support/error-message.js';
import { buildOwnImage, buildRecipe, versionReference } from './build-own-image.js';
import { loadImages, type NodeEngine, pushImages } from './distribute.js';
import { ensureImage, findImage, finish, type MadeImage, type OnImageProgress, tagImage } from './engine-images.js';
import { ImageError } from './image-error.js';
import { OWN_IMAGES, type OwnImageName } from './own-images.js';

interface BuildImagesOptions {
  readonly docker: Docker;
  /** Folder of package.json. */
  readonly packageRoot: string;
  /** Image with Node.js to build on. Default: `NODE_IMAGE`. */
  readonly base?: string | undefined;
  /** Engines of the other nodes. */
  readonly load?: readonly NodeEngine[];
  /** `HOST[:PORT][/PATH]` of a registry that every node can pull from. */
  readonly push?: string;
  /** For finding the credentials that `docker login` keeps (HOME, DOCKER_CONFIG, PATH). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: all. */
  readonly own?: readonly OwnImageName[];
  readonly onProgress: OnImageProgress;
  readonly signal: AbortSignal;
}

export interface MadeImages {
  readonly images: readonly MadeImage[];
  /** For the stack file: `HARNESS_IMAGE` and so on; with `push`, names in the registry. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The default of the Dockerfiles, too. */
const NODE_IMAGE = 'node:24-bookworm-slim';

/** The build that this code belongs to. */
const BUILD_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Quick when nothing has changed. @throws ImageError */
export async function buildImages(options: BuildImagesOptions): Promise<MadeImages> {
  const { docker, load = [], push, env = {}, onProgress, signal } = options;
  const built = await buildOwnImages(options);
  const images = [...built.values()];
  const environment = Object.fromEntries([...built].map(([variable, { name }]) => [variable, name]));
  const needed = OWN_IMAGES.filter(({ inStack }) => inStack).flatMap(({ variable }) => environment[variable] ?? []);
  await loadImages(docker, load, needed, onProgress, signal);
  if (push === undefined) return { images, environment };
  return { images, environment: await pushImages({ docker, environment, registry: push, env, onProgress }, signal) };
}

/** By the variable that selects each in the stack file. */
async function buildOwnImages({
  docker,
  packageRoot,
  base = NODE_IMAGE,
  own,
  onProgress,
  signal,
}: BuildImagesOptions): Promise<ReadonlyMap<string, MadeImage>> {
  const version = versionOf(packageRoot);
  const baseId = await pulled(docker, base, onProgress, signal);
  const built = new Map<string, MadeImage>();
  for (const image of OWN_IMAGES.filter(({ name }) => own?.includes(name) ?? true)) {
    const recipe = buildRecipe(image, { packageRoot, buildRoot: BUILD_ROOT }, version, base, baseId);
    const made = await ensureImage(docker, recipe.reference, onProgress, () => buildOwnImage(docker, recipe, signal));
    await tagImage(docker, made.name, versionReference(recipe));
    built.set(image.variable, made);
  }
  return built;
}

/** Id of an image that the engine has, or pulls. */
async function pulled(
  docker: Docker,
  reference: string,
  onProgress: OnImageProgress,
  signal: AbortSignal,
): Promise<string> {
  const found = await findImage(docker, reference);
  if (found !== undefined) return found.id;
  onProgress({ kind: 'pulling', image: reference });
  try {
    await finish(docker, await docker.pull(reference, { abortSignal: signal }));
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError(
      'IMAGE_TRANSFER_FAILED',
      `could not pull ${reference}: ${messageOf(error)}`,
      'choose another base image with NODE_IMAGE; without a registry, load one with `docker load`',
    );
  }
  return (await findImage(docker, reference))?.id ?? reference;
}

function versionOf(packageRoot: string): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
