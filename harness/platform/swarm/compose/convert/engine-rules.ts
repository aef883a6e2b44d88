/**
 * What the engine refuses when the objects are created, found before anything is made, and with its place in the file.
 * Facts: moby/swarmkit, manager/controlapi; each was tried against an engine.
 */

import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { ComposeService } from '../model.js';
import type { ServiceSpec } from '../swarm-types.js';
import type { ConvertContext } from './context.js';

const MAX_SERVICE_NAME = 63;

export function checkServiceRules(service: ComposeService, spec: ServiceSpec, context: ConvertContext): void {
  checkName(spec.Name, service.at, `services.${service.name}`, context);
  if (spec.Name.length > MAX_SERVICE_NAME) {
    const message = `"${spec.Name}" is longer than ${MAX_SERVICE_NAME} characters`;
    context.findings.refuse(
      service.at,
      'INVALID_VALUE',
      `services.${service.name}`,
      message,
      'shorten the name of the service or of the stack',
    );
  }
  checkMountPoints(service, context);
  checkPorts(service, context);
}

/** Names of services and networks become names in DNS. */
export function checkName(name: string, at: Position, path: string, { findings }: ConvertContext): void {
  if (/^[a-z0-9]+([a-z0-9_-]*[a-z0-9])?$/i.test(name)) return;
  findings.refuse(
    at,
    'INVALID_VALUE',
    path,
    `"${name}" cannot be a name in DNS`,
    'letters, digits, "-" and "_", with a letter or digit at both ends',
  );
}

function checkMountPoints(service: ComposeService, { findings }: ConvertContext): void {
  const targets = new Set<string | undefined>();
  (service.volumes ?? []).forEach(({ target, at }, index) => {
    if (targets.has(target))
      findings.refuse(
        at,
        'CONFLICT',
        `services.${service.name}.volumes[${index}]`,
        `something is already mounted at "${target}"`,
      );
    targets.add(target);
  });
}

function checkPorts(service: ComposeService, { findings }: ConvertContext): void {
  const dnsrr = service.deploy.endpointMode?.toLowerCase() === 'dnsrr';
  const published = new Set<string>();
  for (const port of service.ports ?? []) {
    const path = `services.${service.name}.ports`;
    if (dnsrr && (port.mode ?? 'ingress') === 'ingress') {
      findings.refuse(
        port.at,
        'CONFLICT',
        path,
        'endpoint_mode dnsrr has no ingress ports',
        'write the port in its long form with mode: host',
      );
    }
    if (port.published === 0) continue;
    const key = `${port.published}/${port.protocol ?? 'tcp'}`;
    if (published.has(key)) findings.refuse(port.at, 'CONFLICT', path, `${key} is already published by this service`);
    published.add(key);
  }
}
