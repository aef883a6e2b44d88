import type { ComposeModel, ComposeService } from '../model.js';
import type { Findings } from '../problem.js';
import { mergeService } from './merge-service.js';

/** Services of the same name are merged; of networks, volumes, configs and secrets the later one is taken whole. */
export function mergeFiles(base: ComposeModel, override: ComposeModel, findings: Findings): ComposeModel {
  if (base.version.value !== override.version.value) {
    const message = `this file has format 3.${override.version.value}, and an earlier one 3.${base.version.value}`;
    findings.refuse(override.version.at, 'VERSION', 'version', message, 'leave the line out of all files');
  }
  const services = new Map<string, ComposeService>(base.services);
  for (const [name, service] of override.services) {
    const known = services.get(name);
    services.set(name, known === undefined ? service : mergeService(known, service, findings));
  }
  return {
    version: base.version,
    services,
    networks: new Map([...base.networks, ...override.networks]),
    volumes: new Map([...base.volumes, ...override.volumes]),
    secrets: new Map([...base.secrets, ...override.secrets]),
    configs: new Map([...base.configs, ...override.configs]),
  };
}
