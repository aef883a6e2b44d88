/** Builds our own images with the classic builder: every engine has it, and it can do all that our Dockerfiles need. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { messageOf } from '../../../support/error-message.js';
import { type Bundle, makeBundle, type Places, writeBundle } from './bundle.js';
import { type BuiltImage, findImage, finish } from './engine-images.js';
import { ImageError } from './image-error.js';
import { CONTENT_LABEL, type OwnImage, REPOSITORY } from './own-images.js';

interface BuildRecipe {
  readonly image: OwnImage;
  readonly bundle: Bundle;
  readonly base: string;
  readonly version: string;
  readonly digest: string;
  /** Name and tag. The tag changes with the content, so that services are updated. */
  readonly reference: string;
}

const DIGEST_LENGTH = 8;

/** @param baseId id of the base image: a newer base gives a new image */
export function buildRecipe(
  image: OwnImage,
  places: Places,
  version: string,
  base: string,
  baseId: string,
): BuildRecipe {
  const bundle = makeBundle(image, places);
  const digest = createHash('sha256').update(`${bundle.digest}\n${baseId}\n${version}\n`).digest('hex');
  return {
    image,
    bundle,
    base,
    version,
    digest,
    reference: `${REPOSITORY}/${image.name}:${version}-${digest.slice(0, DIGEST_LENGTH)}`,
  };
}

/** With the plain version as its tag, as the stack file names it by default. */
export function versionReference({ image, version }: BuildRecipe): string {
  return `${REPOSITORY}/${image.name}:${version}`;
}

/** @throws ImageError IMAGE_BUILD_FAILED */
export async function buildOwnImage(docker: Docker, recipe: BuildRecipe, signal: AbortSignal): Promise<BuiltImage> {
  const { base, version, digest, reference } = recipe;
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-image-'));
  try {
    writeBundle(recipe.bundle, folder);
    const stream = await docker.buildImage(
      { context: folder, src: readdirSync(folder) },
      {
        t: reference,
        version: '1',
        rm: true,
        forcerm: true,
        abortSignal: signal,
        buildargs: { NODE_IMAGE: base, VERSION: version },
        labels: { [CONTENT_LABEL]: digest },
      },
    );
    await finish(docker, stream);
    const built = await findImage(docker, reference);
    if (built === undefined) throw new Error('the engine does not know the image it has built');
    return built;
  } catch (error) {
    signal.throwIfAborted();
    throw new ImageError('IMAGE_BUILD_FAILED', `could not build ${reference} from ${base}: ${messageOf(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
