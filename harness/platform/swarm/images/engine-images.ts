/** What an engine knows of images, and the end of its long answers about them. */
import type Docker from 'dockerode';

export interface BuiltImage {
  readonly id: string;
  readonly sizeBytes: number;
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
 * Waits for the end of a build, import, load, pull or push. @throws Error with the engine's own words, which come
 * inside a stream that began well
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

/** Of a reference that has a tag; a registry's port is no tag. */
export function nameAndTag(reference: string): { readonly repo: string; readonly tag: string } {
  const colon = reference.lastIndexOf(':');
  return { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
