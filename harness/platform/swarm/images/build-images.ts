/** Every image the stack needs and this machine cannot pull, made, and brought to the nodes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { buildOwnImage, buildRecipe, versionReference } from './build-own-image.js';
import { loadInto, type NodeEngine, pushTo } from './distribute.js';
import { type BuiltImage, findImage, finish, tagImage } from './engine-images.js';
import { ImageError } from './image-error.js';
import { OWN_IMAGES, type OwnImageName } from './own-images.js';
import { registryCredentials } from './registry-auth.js';
import { importStandIn, STAND_INS, type StandInName, standInRecipes } from './stand-ins.js';

interface BuildImagesOptions {
  readonly docker: Docker;
  /** Folder of package.json. */
  readonly packageRoot: string;
  /** Stand-ins from Debian packages for everything that would be pulled. */
  readonly offline: boolean;
  /** Engines of the other nodes. */
  readonly load?: readonly NodeEngine[];
  /** `HOST[:PORT][/PATH]` of a registry that every node can pull from. */
  readonly push?: string;
  /** Tells where `docker login` has left what the registry may ask for (HOME, DOCKER_CONFIG, PATH). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: all. */
  readonly own?: readonly OwnImageName[];
  /** Default: those that the stack needs. Only with `offline`; `node` is always made then. */
  readonly standIns?: readonly StandInName[];
  readonly onProgress: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

export type ImageProgress =
  | { readonly kind: 'making' | 'pulling' | 'pushing'; readonly image: string }
  | { readonly kind: 'made'; readonly image: MadeImage }
  | { readonly kind: 'pushed'; readonly image: string; readonly seconds: number }
  | { readonly kind: 'loading'; readonly node: string }
  /** `images`: how many the node did not have. */
  | { readonly kind: 'loaded'; readonly node: string; readonly images: number; readonly seconds: number };

interface MadeImage extends BuiltImage {
  /** With tag. */
  readonly name: string;
  /** Nothing had to be done. */
  readonly cached: boolean;
  readonly seconds: number;
}

export interface MadeImages {
  readonly images: readonly MadeImage[];
  /** For the stack file: `HAPROXY_IMAGE` and so on; with `push`, names in the registry. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The base of our images where nothing else is said; the Dockerfiles say the same. */
const NODE_IMAGE = 'node:24-bookworm-slim';

/** Quick when nothing has changed. @throws ImageError */
export async function buildImages(options: BuildImagesOptions): Promise<MadeImages> {
  const images: MadeImage[] = [];
  const environment: Record<string, string> = {};
  const add = (variable: string, image: MadeImage): void => {
    images.push(image);
    environment[variable] = image.name;
    options.onProgress({ kind: 'made', image });
  };
  if (options.offline) await makeStandIns(options, add);
  await makeOwnImages(options, environment.NODE_IMAGE ?? NODE_IMAGE, add);
  await Promise.all(
    (options.load ?? []).map((node) =>
      load(
        options,
        node,
        images.map(({ name }) => name),
      ),
    ),
  );
  if (options.push !== undefined) await push(options, options.push, environment);
  // Grafana is in no Debian release; the rest of the stack does without.
  return { images, environment: options.offline ? { ...environment, GRAFANA_REPLICAS: '0' } : environment };
}

const STACK_STAND_INS = STAND_INS.map(({ name }) => name).filter((name) => name !== 'registry');

type Add = (variable: string, image: MadeImage) => void;

async function makeStandIns(
  { docker, packageRoot, signal, onProgress, standIns = STACK_STAND_INS }: BuildImagesOptions,
  add: Add,
): Promise<void> {
  for (const recipe of await standInRecipes(['node', ...standIns], packageRoot, signal)) {
    add(
      recipe.standIn.variable,
      await make(docker, recipe.reference, onProgress, () => importStandIn(docker, recipe, packageRoot, signal)),
    );
  }
}

async function makeOwnImages(
  { docker, packageRoot, signal, onProgress, own }: BuildImagesOptions,
  base: string,
  add: Add,
): Promise<void> {
  const version = versionOf(packageRoot);
  const baseId = await pulled(docker, base, onProgress, signal);
  for (const image of OWN_IMAGES.filter(({ name }) => own?.includes(name) ?? true)) {
    const recipe = buildRecipe(image, { packageRoot, buildRoot: BUILD_ROOT }, version, base, baseId);
    const made = await make(docker, recipe.reference, onProgress, () => buildOwnImage(docker, recipe, signal));
    await tagImage(docker, made.name, versionReference(recipe));
    add(image.variable, made);
  }
}

/** The programs of the build that this code belongs to. */
const BUILD_ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

async function make(
  docker: Docker,
  reference: string,
  onProgress: BuildImagesOptions['onProgress'],
  build: () => Promise<BuiltImage>,
): Promise<MadeImage> {
  const began = performance.now();
  const found = await findImage(docker, reference);
  if (found === undefined) onProgress({ kind: 'making', image: reference });
  const image = found ?? (await build());
  return { name: reference, ...image, cached: found !== undefined, seconds: secondsSince(began) };
}

/** Identity of an image that the engine has, or gets. */
async function pulled(
  docker: Docker,
  reference: string,
  onProgress: BuildImagesOptions['onProgress'],
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
      `${reference} could not be pulled: ${error instanceof Error ? error.message : String(error)}`,
      'without a registry: --offline',
    );
  }
  return (await findImage(docker, reference))?.id ?? reference;
}

async function load(
  { docker, signal, onProgress }: BuildImagesOptions,
  node: NodeEngine,
  references: readonly string[],
): Promise<void> {
  const began = performance.now();
  onProgress({ kind: 'loading', node: node.name });
  const images = await loadInto(docker, node, references, signal);
  onProgress({ kind: 'loaded', node: node.name, images, seconds: secondsSince(began) });
}

async function push(
  { docker, signal, onProgress, env = {} }: BuildImagesOptions,
  name: string,
  environment: Record<string, string>,
): Promise<void> {
  const registry = { name, credentials: await registryCredentials(name, env) };
  for (const [variable, reference] of Object.entries(environment)) {
    const began = performance.now();
    onProgress({ kind: 'pushing', image: reference });
    const image = await pushTo(registry, docker, reference, signal);
    environment[variable] = image;
    onProgress({ kind: 'pushed', image, seconds: secondsSince(began) });
  }
}

function versionOf(packageRoot: string): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}

function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
