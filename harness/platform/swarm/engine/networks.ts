import { z } from 'zod';
import type { NetworkSpec } from '../compose/swarm-types.js';
import { list, type Network, network } from './answers.js';
import { type EngineCalls, filters, nothing } from './calls.js';

export interface Networks {
  labelled(label: string, signal: AbortSignal): Promise<readonly Network[]>;
  /** By its exact name; undefined when there is none. */
  find(name: string, signal: AbortSignal): Promise<Network | undefined>;
  create(spec: NetworkSpec, signal: AbortSignal): Promise<string>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const created = z.looseObject({ Id: z.string() });

export function networksOf({ call }: EngineCalls): Networks {
  const networks = (
    wanted: Readonly<Record<string, readonly string[]>>,
    signal: AbortSignal,
  ): Promise<readonly Network[]> =>
    call(
      { doing: 'listing networks', method: 'GET', path: '/networks', query: filters(wanted) },
      list(network),
      signal,
    );
  return {
    labelled: (label, signal) => networks({ label: [label] }, signal),
    // The engine's filter finds parts of names.
    find: async (name, signal) => (await networks({ name: [name] }, signal)).find(({ Name }) => Name === name),
    create: async (spec, signal) => {
      const body = { ...spec, CheckDuplicate: true };
      return (
        await call(
          { doing: `creating network ${spec.Name}`, method: 'POST', path: '/networks/create', body },
          created,
          signal,
        )
      ).Id;
    },
    remove: async (id, signal) =>
      void (await call(
        { doing: `removing network ${id}`, method: 'DELETE', path: `/networks/${id}` },
        nothing,
        signal,
      )),
  };
}
