import type { ComposeService } from '../model.js';
import type { EndpointSpec } from '../swarm-types.js';
import { omitEmpty } from './omit.js';

/** Sent also without ports. Sorted by published port, so that another order in the file is no change. */
export function convertEndpoint(service: ComposeService): EndpointSpec {
  const ports = (service.ports ?? []).map(({ protocol, target, published, mode }) =>
    omitEmpty<NonNullable<EndpointSpec['Ports']>[number]>({
      Protocol: protocol,
      TargetPort: target,
      PublishedPort: published,
      PublishMode: mode,
    }),
  );
  const sorted = ports.toSorted((a, b) => (a.PublishedPort ?? 0) - (b.PublishedPort ?? 0));
  return omitEmpty<EndpointSpec>({ Mode: service.deploy.endpointMode?.toLowerCase(), Ports: sorted });
}
