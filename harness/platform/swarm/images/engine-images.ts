/** Calls to an engine about images, whose answers may take long. */
import type Docker from 'dockerode';

export interface BuiltImage {
  readonly id: string;
  readonly sizeBytes: number;
}

export interface MadeImage extends BuiltImage {
  /** With tag. */
  readonly name: string;
  /** The engine had it already. */
  readonly cached: boolean;
  readonly seconds: number;
}

export type ImageProgress =
  | { readonly kind: 'making' | 'pulling' | 'pushing'; readonly image: string }
  | { readonly kind: 'made'; readonly image: MadeImage }
  | { readonly kind: 'pushed'; readonly image: string; readonly seconds: number }
  | { readonly kind: 'loading'; readonly node: string }
  /** `images`: how many the node did not have yet. */
  | { readonly kind: 'loaded'; readonly node: string; readonly images: number; readonly seconds: number };

export type OnImageProgress = (progress: ImageProgress) => void;

/** The image of this name, made by `make` if the engine does not have it. */
export async function ensureImage(
  docker: Docker,
  reference: string,
  onProgress: OnImageProgress,
  make: () => Promise<BuiltImage>,
): Promise<MadeImage> {
  const began = performance.now();
  const found = await findImage(docker, reference);
  if (found === undefined) onProgress({ kind: 'making', image: reference });
  const image = found ?? (await make());
  const made = { name: reference, ...image, cached: found !== undefined, seconds: secondsSince(began) };
  onProgress({ kind: 'made', image: made });
  return made;
}

/** Undefined when the engine does not have it. */
export async function findImage(docker: Docker, reference: string): Promise<BuiltImage | undefined> {
  try {
    const { Id: id, Size: sizeBytes } = await docker.getImage(reference).inspect();
    return { id, sizeBytes };
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404)
      return undefined;
    throw error;
  }
}

/**
 * Waits for the end of a build, import, load, pull or push.
 * @throws Error with the engine's own message, which comes inside a stream that began well
 */
export function finish(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, messages: readonly { readonly error?: string }[] | undefined) => {
        const refused = messages?.find((message) => message.error !== undefined)?.error;
        if (error !== null && error !== undefined) reject(error);
        else if (refused !== undefined) reject(new Error(refused));
        else resolve();
      },
    );
  });
}

/** @param to with tag */
export async function tagImage(docker: Docker, reference: string, to: string): Promise<void> {
  await docker.getImage(reference).tag(nameAndTag(to));
}

/** @param reference must have a tag; the port of a registry is not a tag */
export function nameAndTag(reference: string): { readonly repo: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  return { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

export function secondsSince(began: number): number {
  return Math.round(performance.now() - began) / 1000;
}
