import { z } from 'zod';
import { type Image, image } from './answers.js';
import type { EngineCalls } from './calls.js';
import { isEngineError } from './engine-error.js';

export interface Images {
  /** As this engine's node has it; undefined when it does not. */
  find(reference: string, signal: AbortSignal): Promise<Image | undefined>;
  /** The digest that the registry has for it, asked by the engine. @throws EngineError with the registry's words */
  remoteDigest(reference: string, registryAuth: string | undefined, signal: AbortSignal): Promise<string>;
}

const distribution = z.looseObject({ Descriptor: z.looseObject({ digest: z.string() }) });

export function imagesOf({ call }: EngineCalls): Images {
  return {
    async find(reference, signal) {
      try {
        return await call(
          { doing: `looking for image ${reference}`, method: 'GET', path: `/images/${reference}/json` },
          image,
          signal,
        );
      } catch (error) {
        if (isEngineError(error, 'OBJECT_NOT_FOUND')) return undefined;
        throw error;
      }
    },
    remoteDigest: async (reference, registryAuth, signal) =>
      (
        await call(
          {
            doing: `asking the registry for ${reference}`,
            method: 'GET',
            path: `/distribution/${reference}/json`,
            registryAuth,
          },
          distribution,
          signal,
        )
      ).Descriptor.digest,
  };
}
