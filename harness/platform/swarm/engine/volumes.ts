import { z } from 'zod';
import { list, type Volume, volume } from './answers.js';
import { type EngineCalls, filters, nothing } from './calls.js';

export interface Volumes {
  labelled(label: string, signal: AbortSignal): Promise<readonly Volume[]>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}

const volumes = z.looseObject({ Volumes: list(volume) });

export function volumesOf({ call }: EngineCalls): Volumes {
  return {
    labelled: async (label, signal) =>
      (
        await call(
          { doing: 'listing volumes', method: 'GET', path: '/volumes', query: filters({ label: [label] }) },
          volumes,
          signal,
        )
      ).Volumes,
    remove: async (name, signal) =>
      void (await call(
        { doing: `removing volume ${name}`, method: 'DELETE', path: `/volumes/${name}` },
        nothing,
        signal,
      )),
  };
}
