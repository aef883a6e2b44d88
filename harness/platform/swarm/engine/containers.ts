import { type Container, container, list } from './answers.js';
import { type EngineCalls, filters, nothing } from './calls.js';

export interface Containers {
  /** Stopped ones too. */
  labelled(label: string, signal: AbortSignal): Promise<readonly Container[]>;
  /** Refused while it runs. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  running(signal: AbortSignal): Promise<readonly Container[]>;
}

export function containersOf({ call }: EngineCalls): Containers {
  return {
    labelled: (label, signal) =>
      call(
        {
          doing: 'listing containers',
          method: 'GET',
          path: '/containers/json',
          query: { all: true, ...filters({ label: [label] }) },
        },
        list(container),
        signal,
      ),
    remove: async (id, signal) =>
      void (await call(
        { doing: `removing container ${id.slice(0, 12)}`, method: 'DELETE', path: `/containers/${id}` },
        nothing,
        signal,
      )),
    running: (signal) =>
      call({ doing: 'listing containers', method: 'GET', path: '/containers/json' }, list(container), signal),
  };
}
