/**
 * Rules that the engine checks when objects are created. Here they are checked before anything is made, and with the
 * place in the file. Facts: moby/swarmkit, manager/controlapi; each was tried against an engine.
 */
import type { Position } from '../../../../../scenarios/yaml/problem.js';
import type { ComposeService } from '../model.js';
import type { ServiceSpec } from '../swarm-types.js';
import type { ConvertContext } from './context.js';

const MAX_SERVICE_NAME = 63;

export function checkServiceRules(service: ComposeService, spec: ServiceSpec, context: ConvertContext): void {
  const path = `services.${service.name}`;
  checkDnsName(spec.Name, service.at, path, context);
  if (spec.Name.length > MAX_SERVICE_NAME) {
    const message = `"${spec.Name}" is longer than ${MAX_SERVICE_NAME} characters`;
    const hint = 'shorten the name of the service or of the stack';
    context.findings.refuse(service.at, 'INVALID_VALUE', path, message, hint);
  }
  checkMountPoints(service, path, context);
  checkPorts(service, path, context);
}

/** Services and networks are found by their names in DNS. */
export function checkDnsName(name: string, at: Position, path: string, { findings }: ConvertContext): void {
  if (/^[a-z0-9]+([a-z0-9_-]*[a-z0-9])?$/i.test(name)) return;
  const hint = 'letters, digits, "-" and "_", with a letter or digit at both ends';
  findings.refuse(at, 'INVALID_VALUE', path, `"${name}" cannot be a name in DNS`, hint);
}

function checkMountPoints(service: ComposeService, path: string, { findings }: ConvertContext): void {
  const targets = new Set<string | undefined>();
  (service.volumes ?? []).forEach(({ target, at }, index) => {
    if (targets.has(target))
      findings.refuse(at, 'CONFLICT', `${path}.volumes[${index}]`, `something is already mounted at "${target}"`);
    targets.add(target);
  });
}

function checkPorts(service: ComposeService, servicePath: string, { findings }: ConvertContext): void {
  const path = `${servicePath}.ports`;
  const dnsrr = service.deploy.endpointMode?.toLowerCase() === 'dnsrr';
  const published = new Set<string>();
  for (const port of service.ports ?? []) {
    if (dnsrr && (port.mode ?? 'ingress') === 'ingress') {
      const message = 'endpoint_mode dnsrr has no ingress ports';
      const hint = 'write the port in its long form with mode: host';
      findings.refuse(port.at, 'CONFLICT', path, message, hint);
    }
    if (port.published === 0) continue;
    const key = `${port.published}/${port.protocol ?? 'tcp'}`;
    if (published.has(key)) findings.refuse(port.at, 'CONFLICT', path, `${key} is already published by this service`);
    published.add(key);
  }
}
