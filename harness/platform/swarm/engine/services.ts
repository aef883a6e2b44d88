import { z } from 'zod';
import type { ServiceSpec } from '../compose/swarm-types.js';
import { list, type Service, service } from './answers.js';
import { type EngineCalls, filters, ignored } from './calls.js';
import { isEngineError } from './engine-error.js';

export interface Services {
  /** @param label `key=value` or `key` */
  labelled(label: string, signal: AbortSignal): Promise<readonly Service[]>;
  all(signal: AbortSignal): Promise<readonly Service[]>;
  /** @param id id or name */
  inspect(id: string, signal: AbortSignal): Promise<Service>;
  /** Returns the id. @param registryAuth for every node that pulls the image, now or later; undefined: none */
  create(spec: ServiceSpec, registryAuth: string | undefined, signal: AbortSignal): Promise<string>;
  /**
   * Reads the service and sends back the spec that `next` makes of it; sends nothing when that is undefined. Starts
   * again when the service was changed in between. Returns the service as last read, and whether an update was sent.
   * @param registryAuth undefined: the service keeps the credentials that it was given before
   */
  change(
    id: string,
    next: (current: Service) => object | undefined,
    signal: AbortSignal,
    registryAuth?: string,
  ): Promise<{ readonly before: Service; readonly sent: boolean }>;
  remove(id: string, signal: AbortSignal): Promise<void>;
}

const created = z.looseObject({ ID: z.string() });
const MAX_TRIES = 10;

export function servicesOf({ call }: EngineCalls): Services {
  const inspect = (id: string, signal: AbortSignal): Promise<Service> =>
    call({ action: `reading service ${id}`, method: 'GET', path: `/services/${id}` }, service, signal);

  const change: Services['change'] = async (id, next, signal, registryAuth) => {
    for (let tries = 1; ; tries += 1) {
      const before = await inspect(id, signal);
      const body = next(before);
      if (body === undefined) return { before, sent: false };
      const request = {
        action: `updating service ${before.Spec.Name}`,
        method: 'POST',
        path: `/services/${id}/update`,
        query: { version: before.Version.Index },
        body,
        registryAuth,
      } as const;
      try {
        await call(request, ignored, signal);
        return { before, sent: true };
      } catch (error) {
        // The scheduler of the swarm writes to the service, too, so this is common during a rollout.
        if (!isEngineError(error, 'OUT_OF_SEQUENCE') || tries === MAX_TRIES) throw error;
      }
    }
  };

  return {
    labelled: (label, signal) =>
      call(
        { action: 'listing services', method: 'GET', path: '/services', query: filters({ label: [label] }) },
        list(service),
        signal,
      ),
    all: (signal) => call({ action: 'listing services', method: 'GET', path: '/services' }, list(service), signal),
    inspect,
    create: async (spec, registryAuth, signal) =>
      (
        await call(
          {
            action: `creating service ${spec.Name}`,
            method: 'POST',
            path: '/services/create',
            body: spec,
            registryAuth,
          },
          created,
          signal,
        )
      ).ID,
    change,
    remove: async (id, signal) =>
      void (await call(
        { action: `removing service ${id}`, method: 'DELETE', path: `/services/${id}` },
        ignored,
        signal,
      )),
  };
}
